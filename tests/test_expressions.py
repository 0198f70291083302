"""The expression graph against plain booleans: every node, after every change, for every subject."""

from __future__ import annotations

from typing import TypeAlias

from hypothesis import given
from hypothesis import strategies as st
from pyroaring import BitMap

from coterie.index.expressions import Graph
from coterie.index.nodes import Members, Operation, Ref, Root, rank_of

SUBJECTS = range(1, 9)
INPUTS = 4

Tree: TypeAlias = "int | tuple[str, int, tuple[Tree, ...]]"

TREES = st.recursive(
    st.integers(0, INPUTS - 1),
    lambda child: st.one_of(
        st.tuples(st.sampled_from(["and", "or"]), st.just(0), st.lists(child, min_size=2, max_size=4).map(tuple)),
        st.tuples(st.just("not"), st.just(0), st.tuples(child)),
        st.lists(child, min_size=1, max_size=4).flatmap(
            lambda held: st.tuples(st.just("least"), st.integers(1, len(held)), st.just(tuple(held)))
        ),
    ),
    max_leaves=12,
)
FLIPS = st.lists(st.lists(st.tuples(st.integers(0, INPUTS - 1), st.sampled_from(SUBJECTS)), max_size=6), max_size=6)


def truth(tree: Tree, subject: int, inputs: list[set[int]]) -> bool:
    """The naive twin."""
    if isinstance(tree, int):
        return subject in inputs[tree]
    operation, k, children = tree
    truths = [truth(child, subject, inputs) for child in children]
    return {"and": all(truths), "or": any(truths), "not": not truths[0], "least": sum(truths) >= k}[operation]


def build(tree: Tree, graph: Graph, members: list[Members]) -> Ref:
    """The tree as nodes."""
    if isinstance(tree, int):
        return Ref(members[tree])
    operation, k, children = tree
    refs = [build(child, graph, members) for child in children]
    if operation == "not":
        return refs[0].opposite()
    kinds = {"and": Operation.AND, "or": Operation.OR, "least": Operation.AT_LEAST}
    return graph.node(kinds[operation], refs, k)


def is_in(root: Root, subject: int) -> bool:
    """What the graph says."""
    return (subject in root.bits) != root.empty


@given(st.lists(TREES, min_size=1, max_size=3), FLIPS)
def test_deltas_keep_every_expression_exact(trees: list[Tree], batches: list[list[tuple[int, int]]]) -> None:
    """After each batch of flips every root answers like the naive twin, and tells exactly who flipped."""
    graph, members = Graph(), [Members(str(i)) for i in range(INPUTS)]
    roots = []
    for number, tree in enumerate(trees):
        ref = build(tree, graph, members)
        roots.append(Root(str(number), ref, rank_of(ref.source) + 1))
        graph.attach(roots[-1])
    inputs: list[set[int]] = [set() for _ in range(INPUTS)]
    for batch in batches:
        before = [{s for s in SUBJECTS if truth(tree, s, inputs)} for tree in trees]
        flips = [BitMap() for _ in range(INPUTS)]
        for which, subject in batch:
            inputs[which] ^= {subject}
            flips[which] ^= BitMap([subject])
        for held, ids in zip(members, flips, strict=True):
            held.bits ^= ids
        flipped = graph.propagate([(held, ids) for held, ids in zip(members, flips, strict=True) if ids])
        for tree, root, old in zip(trees, roots, before, strict=True):
            new = {s for s in SUBJECTS if truth(tree, s, inputs)}
            assert {s for s in SUBJECTS if is_in(root, s)} == new
            assert set(flipped.get(root, BitMap())) == old ^ new


@given(TREES, TREES, st.lists(st.sets(st.sampled_from(SUBJECTS)), min_size=INPUTS, max_size=INPUTS))
def test_swapping_a_root_under_others(first: Tree, second: Tree, held: list[set[int]]) -> None:
    """A segment's expression is swapped, even for its opposite: whoever nests it follows."""
    graph, members = Graph(), [Members(str(i), BitMap(ids)) for i, ids in enumerate(held)]
    ref = build(first, graph, members)
    inner = Root("inner", ref, rank_of(ref.source) + 1)
    graph.attach(inner)
    nested = graph.node(Operation.OR, (Ref(inner), Ref(members[0])))
    outer = Root("outer", nested, rank_of(nested.source) + 1)
    graph.attach(outer)
    above = graph.above(inner)
    swapped = build(second, graph, members)
    graph.detach(inner)
    inner.ref = swapped
    graph.attach(inner)
    graph.lift(inner)
    graph.recompute(above[0])
    expected = {s for s in SUBJECTS if truth(second, s, held) or s in held[0]}
    assert {s for s in SUBJECTS if is_in(outer, s)} == expected
    assert set(above[1]) == {inner, outer}


def test_a_wide_or_is_a_tree() -> None:
    """One changed input of a thousand reads a few dozen others, and the answer is the same."""
    graph, members = Graph(), [Members(str(i)) for i in range(1000)]
    ref = graph.node(Operation.OR, [Ref(held) for held in members])
    root = Root("wide", ref, rank_of(ref.source) + 1)
    graph.attach(root)
    members[777].bits.add(5)
    assert set(graph.propagate([(members[777], BitMap([5]))])[root]) == {5}
    assert all(len(node.children) <= 16 for node in graph.above(root)[0])


def test_nodes_nobody_uses_are_dropped() -> None:
    """Detaching the last root leaves an empty graph."""
    graph, members = Graph(), [Members(str(i)) for i in range(4)]
    ref = build(("and", 0, (0, ("or", 0, (1, ("least", 2, (1, 2, 3)))))), graph, members)
    root = Root("only", ref, rank_of(ref.source) + 1)
    graph.attach(root)
    assert len(graph) == 3
    graph.detach(root)
    assert len(graph) == 0
