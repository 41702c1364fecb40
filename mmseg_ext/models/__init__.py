"""MMSegmentation registry members: networks and their parts."""
