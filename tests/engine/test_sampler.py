from itertools import islice

from mmseg_ext.engine.sampler import EpochSampler


def drawn(start, count, seed=0, items=7):
    return list(islice(EpochSampler(range(items), seed, start), count))


def test_every_epoch_draws_each_item_once():
    found = drawn(0, 21)
    for epoch in range(3):
        part = found[7 * epoch : 7 * epoch + 7]
        assert {number for number, _ in part} == {epoch}
        assert sorted(item for _, item in part) == list(range(7))
    assert [item for _, item in found[:7]] != [item for _, item in found[7:14]]


def test_it_continues_anywhere():
    whole = drawn(0, 40)
    for start in (1, 6, 7, 8, 25):
        assert drawn(start, 40 - start) == whole[start:]


def test_a_far_start_costs_nothing():
    epoch, _ = drawn(7 * 10**9, 1)[0]
    assert epoch == 10**9


def test_the_order_depends_on_the_seed():
    assert drawn(0, 14, seed=1) != drawn(0, 14, seed=2)
    assert drawn(0, 14, seed=1) == drawn(0, 14, seed=1)
