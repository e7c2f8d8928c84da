"""Programs of JAX that train the models of several lanes at once: ``jax.vmap`` over their weights and their orders."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from importlib import import_module
from typing import Any, NamedTuple

from trainables.input.gathered_rows import EpochRows
from trainables.lanes.lane import Lane, Request

_MOST_PROGRAMS = 16

_programs: OrderedDict[Hashable, Any] = OrderedDict()


class LaneContent(NamedTuple):
    """The part of a lane in work that is done for several lanes.

    Attributes:
        state: The variables of its model, as Keras's steps on JAX take and return them.
        rows: The rows of its epoch.
    """

    state: Any
    rows: EpochRows


def identity(rows: EpochRows) -> tuple[Hashable, ...]:
    """Return what must be equal in the rows of lanes that are trained together: the very arrays, and the batch size.

    Each lane may have weights of its own beside the same inputs and labels.
    """
    jax = import_module("jax")
    shared, own = _divided(rows)
    weights = tuple((leaf.shape, str(leaf.dtype)) for leaf in jax.tree.leaves(own))
    return (int(rows.batch_size), rows.order.shape, weights, *map(id, jax.tree.leaves(shared)))


def meet(
    lane: Lane,
    work: Hashable | None,
    position: tuple[int, int],
    content: LaneContent,
    run_alone: Callable[[], Any],
    run_of_lane: Callable[..., Any],
) -> Any:
    """Return the metrics and the state of a lane after some of its batches, which other lanes may train with it.

    Args:
        lane: The lane.
        work: Everything that a program for several lanes depends on, beside their number; None: this one is alone.
        position: The first batch, and the one after the last.
        content: The state of the lane, and its rows.
        run_alone: Trains this lane alone.
        run_of_lane: ``run_of_lane(state, rows, start, stop)``, the same as a function of JAX.
    """
    request = Request(
        work, position, content, run_alone, lambda contents: _run_together(work, run_of_lane, contents, position)
    )
    return lane.meet(request)


def _run_together(
    work: Hashable, run: Callable[..., Any], contents: Sequence[LaneContent], positions: tuple[int, ...]
) -> list[tuple[Any, Any]]:
    """Return what ``run`` returns for each lane, computed by one program.

    A program is compiled for 2, 4, 8 … lanes. If there are fewer, the last one is computed several times. The states of
    the lanes are left as they are, so that each can be trained alone if this fails.

    Args:
        work: Everything that the program depends on, beside the number of lanes.
        run: ``run(state, rows, *positions) -> (logs, state)`` for one lane.
        contents: The lanes.
        positions: Numbers that are equal in all lanes.
    """
    jax = import_module("jax")
    numpy = jax.numpy
    size = contents[0].rows.batch_size
    (shared, _), lanes = _divided(contents[0].rows), 1 << (len(contents) - 1).bit_length()
    padded = [*contents, *[contents[-1]] * (lanes - len(contents))]
    each = [(content.state, content.rows.order, _divided(content.rows)[1]) for content in padded]

    def run_all(each: Any, shared: Any, *positions: Any) -> Any:
        def run_one(state: Any, order: Any, own: Any) -> Any:
            return run(state, EpochRows(size, order, (*shared, *own)), *positions)

        stacked = jax.tree.map(lambda *leaves: numpy.stack(leaves), *each)
        results = jax.vmap(run_one)(*stacked)
        return [jax.tree.map(lambda leaf, lane=lane: leaf[lane], results) for lane in range(lanes)]

    arguments = (each, shared, *(numpy.int32(position) for position in positions))
    program = _program((work, lanes), lambda: compiled(run_all, arguments))
    return list(program(*arguments)[: len(contents)])


def _divided(rows: EpochRows) -> tuple[Any, Any]:
    """Return the inputs and labels, which lanes share, and the weights, which they do not."""
    return tuple(rows.arrays[:2]), tuple(rows.arrays[2:])


def compiled(run_all: Callable[..., Any], arguments: tuple[Any, ...]) -> Callable[..., Any]:
    """Return a function of JAX as a program for such arguments."""
    program: Callable[..., Any] = import_module("jax").jit(run_all).lower(*arguments).compile()
    return program


def _program(key: Hashable, compile_program: Callable[[], Any]) -> Any:
    """Return the program of a key. It holds no model: those of ended trials need not live as long."""
    if key not in _programs:
        _programs[key] = compile_program()
        while len(_programs) > _MOST_PROGRAMS:
            _programs.popitem(last=False)
    _programs.move_to_end(key)
    return _programs[key]
