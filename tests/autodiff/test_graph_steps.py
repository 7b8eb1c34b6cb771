"""Stepping, drawing and checking a graph."""

import xml.etree.ElementTree as ET

import numpy as np
import pytest

from course.autodiff import Tensor, check_gradients, draw, exp, tanh
from course.autodiff.drawing import summary
from course.autodiff.graph import (
    backward_steps,
    children,
    forward_steps,
    label,
    nodes_in_order,
)
from course.nn import MLP, SoftmaxCrossEntropy


def diamond():
    x = Tensor(2.0, name="x")
    a = (x * x).named("a")
    b = exp(a).named("b")
    f = (a + b).named("f")
    return x, a, b, f


def net_loss():
    rng = np.random.default_rng(0)
    net = MLP([4, 3, 2], rng, "relu")
    return net, SoftmaxCrossEntropy()(net(rng.random((5, 4))), np.array([0, 1, 0, 1, 1]))


def test_nodes_come_after_their_parents_and_only_once():
    x, a, b, f = diamond()
    assert nodes_in_order(f) == [x, a, b, f]
    _, loss = net_loss()
    order = nodes_in_order(loss)
    assert len(set(order)) == len(order)
    assert all(order.index(p) < order.index(n) for n in order for p in n.parents)


def test_children_are_the_nodes_computed_from_a_node():
    x, a, b, f = diamond()
    assert children(f) == {x: [a, a], a: [b, f], b: [f], f: []}


def test_forward_steps_show_each_value_once():
    steps = list(forward_steps(diamond()[-1]))
    assert [s.label for s in steps] == ["x", "a", "b", "f"]
    assert [float(s.value) for s in steps] == pytest.approx([2, 4, np.exp(4), 4 + np.exp(4)])


def test_backward_steps_show_messages_and_what_has_arrived_so_far():
    x, a, b, f = diamond()
    steps = backward_steps(f)
    first = next(steps)
    assert first.node is f
    assert first.messages == ((a, 1.0), (b, 1.0))
    assert (a.grad, b.grad, x.grad) == (1, 1, None)  # a still waits for b
    second = next(steps)
    assert second.node is b
    assert a.grad == pytest.approx(1 + np.exp(4))
    third = next(steps)
    assert [m for _, m in third.messages] == pytest.approx([2 * a.grad, 2 * a.grad])
    assert next(steps, None) is None
    assert x.grad == pytest.approx(4 * (1 + np.exp(4)))


def test_steps_of_a_net_leave_the_gradients_of_backward():
    net, loss = net_loss()
    loss.backward()
    expected = [p.grad for p in net.parameters]
    names = [type(step.node).__name__ for step in backward_steps(loss)]
    assert names == ["SoftmaxCrossEntropy", "Affine", "ReLU", "Affine"]
    for p, grad in zip(net.parameters, expected, strict=True):
        np.testing.assert_array_equal(p.grad, grad)


def test_labels_are_names_then_operations_then_numbers():
    x = Tensor(2.0)
    y = x * 3
    assert [label(n) for n in (y, *y.parents)] == ["×", "2", "3"]
    assert label(y.named("y")) == "y"


def test_a_drawing_is_well_formed_and_shows_value_and_gradient_of_every_node():
    x, _, _, f = diamond()
    assert "gradient" not in draw(f).description
    f.backward()
    drawing = draw(f, highlight=x)
    root = ET.fromstring(drawing.svg)
    text = " ".join(t.text or "" for t in root.iter("{http://www.w3.org/2000/svg}text"))
    for shown in ("x", "58.5982", f"∂ {4 * (1 + np.exp(4)):.6g}", "exp"):
        assert shown in text
    assert drawing._repr_svg_() == drawing.svg
    assert "b = exp (a) = 54.5982, gradient 1" in drawing.description
    assert drawing.svg.count('class="leaf now"') == 1


def test_a_drawing_of_a_net_shows_shapes_and_no_box_covers_another():
    _, loss = net_loss()
    loss.backward()
    svg = draw(loss, names={"loss": loss}).svg
    assert "(4, 3)" in svg
    rects = [
        tuple(float(r.get(k)) for k in ("x", "y", "width", "height"))
        for r in ET.fromstring(svg).iter("{http://www.w3.org/2000/svg}rect")
    ]
    assert len(rects) == len(nodes_in_order(loss))
    for i, (x, y, w, h) in enumerate(rects):
        for u, v, a, b in rects[:i]:
            assert x >= u + a or u >= x + w or y >= v + b or v >= y + h


def test_a_drawing_takes_names_from_variables_and_is_saved(tmp_path):
    x = Tensor(1.0)
    result = tanh(x) + 1
    draw(result, names={"x": x, "result": result, "other": 3}).save(tmp_path / "graph.svg")
    text = (tmp_path / "graph.svg").read_text("utf-8")
    assert "result  +" in text
    ET.fromstring(text)


def test_names_in_a_drawing_are_escaped():
    svg = draw(Tensor(1.0, name="<script>") * 2).svg
    ET.fromstring(svg)
    assert "<script>" not in svg


def test_a_graph_that_nobody_could_read_is_not_drawn():
    y = Tensor(1.0)
    for _ in range(400):
        y = exp(-y)
    with pytest.raises(ValueError, match="801 nodes is too large"):
        draw(y)


def test_summaries_are_short():
    assert summary(-1 / 3) == "−0.333333"
    assert summary(np.array([1.0, -2.5])) == "[1, −2.5]"
    assert summary(np.arange(6.0).reshape(2, 3)) == "(2, 3) 0 … 5"
    assert summary(np.empty((0, 2))) == "(0, 2) empty"


class Wrong(type(tanh(1.0))):
    """tanh with the derivative taken at one entry only."""

    __slots__ = ()
    symbol = "wrong"

    def vjp(self, grad):
        slope = 1 - self.data**2
        slope[1, 2] = 1.0
        return (grad * slope,)


def test_the_gradient_check_names_the_worst_entry():
    x = np.random.default_rng(0).standard_normal((3, 4))
    result = check_gradients(lambda a, z: Wrong(z) * a, np.ones((3, 4)), x)
    assert not result
    assert (result.input, result.entry) == (1, (1, 2))
    assert "worst entry is [1, 2] of input 1" in str(result)


def test_the_gradient_check_uses_an_upstream_gradient_that_is_not_all_ones():
    class Swapped(Wrong):
        """Right only if every upstream gradient is the same."""

        __slots__ = ()

        def vjp(self, grad):
            return (grad[::-1] * (1 - self.data**2),)

    assert not check_gradients(lambda z: Swapped(z), np.full((3, 4), 0.5))


def test_the_gradient_check_fails_on_nan():
    with np.errstate(invalid="ignore"):
        assert not check_gradients(lambda x: x**0.5, np.array([1.0, -1.0]))
