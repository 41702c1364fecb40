"""Stages of zero-shot segmentation before training: CLIP, class embeddings, regions; and training with regions."""
