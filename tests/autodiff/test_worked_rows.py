"""The worked graphs of the source lectures, to 6 significant digits, each named by its row."""

import numpy as np
import pytest

from course.autodiff import (
    Constant,
    Tensor,
    affine,
    binary_cross_entropy,
    cos,
    euclidean_cost,
    exp,
    log,
    maximum,
    sigmoid,
    sin,
    sqrt,
    tanh,
)


def six(value):
    """Equal to 6 significant digits (half a unit of the sixth)."""
    return pytest.approx(np.asarray(value), rel=5.001e-6)


def leaves(**values):
    return [Tensor(value, name=name) for name, value in values.items()]


@pytest.fixture
def worked():
    x = Tensor(2.0, name="x")
    a = x**2
    b = exp(a)
    c = a + b
    d, e = sqrt(c), cos(c)
    f = d + e
    return dict(x=x, a=a, b=b, c=c, d=d, e=e, f=f)


def test_P_37_forward_values_of_the_square_exp_sqrt_cos_graph(worked):
    values = [worked[name].data for name in "abcdef"]
    assert values == six([4, 54.5982, 58.5982, 7.65494, -0.460613, 7.19433])


def test_P_38_backward_values_of_the_square_exp_sqrt_cos_graph(worked):
    worked["f"].backward()
    grads = [worked[name].grad for name in "fedcbax"]
    assert grads == six([1, 1, 1, -0.822284, -0.822284, -45.7175, -182.870])


def test_P_38_the_two_messages_that_meet_at_c(worked):
    c = worked["c"]
    for gate, message in [(worked["e"], -0.887601), (worked["d"], 0.0653173)]:
        gate.backward()
        assert c.grad == six(message)


def test_lecture_08_what_is_left_when_only_one_branch_counts(worked):
    # The values by which `grad =` instead of `+=` is known (misconception 08.1).
    for branch, slope in [("e", -197.396), ("d", 14.5261)]:
        worked[branch].backward()
        assert worked["x"].grad == six(slope)
    worked["f"].backward()
    dx_da, dc = 2 * worked["x"].data, worked["c"].grad
    worked["b"].backward()
    assert [dx_da * dc, worked["x"].grad * dc] == six([-3.28913, -179.581])


def test_lecture_08_slope_taken_at_the_output_instead_of_the_input():
    z = Tensor(1.0)
    y = sigmoid(z)
    y.backward()
    assert z.grad == six(0.196612)
    wrong = Tensor(y.data)
    sigmoid(wrong).backward()
    assert wrong.grad == six(0.219362)  # misconception 08.6


def test_E_P8_going_on_from_the_rounded_message_gives_other_digits(worked):
    (-0.822 * worked["c"]).backward()
    assert [worked["a"].grad, worked["x"].grad] == six([-45.7016, -182.806])


@pytest.mark.parametrize(("x", "slope"), [(0.0, 13.0), (1.0, 46.8731)])
def test_C_37_chain_example(x, slope):
    x = Tensor(x)
    (4 * exp(x) + 3 * (1 + x) ** 3).backward()
    assert x.grad == six(slope)


@pytest.mark.parametrize(("t", "value", "slope"), [(1.0, 2.71653, 2.41048), (2.0, None, 2.99654)])
def test_G_63_multivariate_chain_rule(t, value, slope):
    t = Tensor(t)
    x, y = cos(t), t**2
    f = y + exp(x * y)
    f.backward()
    assert t.grad == six(slope)
    if value:
        assert f.data == six(value)
        assert x.data == six(0.540302)


def test_G_65_regularised_logistic_least_squares_and_G_60_its_error_signals():
    w, b = leaves(w=0.7, b=-0.3)
    x, t, lam = 1.5, 1.0, 0.1
    z = w * x + b
    y = sigmoid(z)
    R = 0.5 * w**2
    L = 0.5 * (y - t) ** 2 + lam * R
    L.backward()
    s = 1 / (1 + np.exp(-(0.7 * x - 0.3)))
    assert R.grad == six(lam)
    assert y.grad == six(s - t)
    assert z.grad == six((s - t) * s * (1 - s))
    assert w.grad == six((s - t) * s * (1 - s) * x + lam * 0.7)
    assert b.grad == six((s - t) * s * (1 - s))


def test_G_59_logistic_least_squares_as_in_calculus_class():
    w, b = leaves(w=0.7, b=-0.3)
    (0.5 * (sigmoid(w * 1.5 + b) - 1.0) ** 2).backward()
    s = 1 / (1 + np.exp(-0.75))
    assert [w.grad, b.grad] == six([(s - 1) * s * (1 - s) * 1.5, (s - 1) * s * (1 - s)])


def test_T_16_derivative_of_a_trace_has_the_shape_of_its_matrix():
    # T's layout gives A itself, (2, 3); in the course a gradient has its parameter's shape (E-X7).
    A = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    X = Tensor(np.ones((3, 2)), name="X")
    ((A @ X) * np.eye(2)).sum().backward()
    np.testing.assert_array_equal(X.grad, A.T)


def test_H_16_E_H15_x_plus_y_times_z():
    x, y, z = leaves(x=-2.0, y=5.0, z=-4.0)
    q = x + y
    f = q * z
    f.backward()
    assert [q.data, f.data] == six([3, -12])
    assert [z.grad, q.grad, x.grad, y.grad] == six([3, -4, -4, -4])


def sigmoid_unit(w):
    w0, w1, w2 = w
    x1, x2 = leaves(x1=-1.0, x2=-2.0)
    p1, p2 = w1 * x1, w2 * x2
    z = w0 + p1 + p2
    m = -z
    e = exp(m)
    s = 1 + e
    f = 1 / s
    return dict(x1=x1, x2=x2, p1=p1, p2=p2, z=z, m=m, e=e, s=s, f=f, L=-log(f))


def test_H_18_sigmoid_unit_forward():
    g = sigmoid_unit(leaves(w0=-3.0, w1=2.0, w2=-3.0))
    values = [g[name].data for name in ("p1", "p2", "z", "e", "s", "f", "L")]
    assert values == six([-2, 6, 1, 0.367879, 1.36788, 0.731059, 0.313262])


def test_H_19_sigmoid_unit_backward_through_elementary_gates():
    w = leaves(w0=-3.0, w1=2.0, w2=-3.0)
    g = sigmoid_unit(w)
    g["L"].backward()
    inner = [g[name].grad for name in ("f", "s", "e", "m", "z")]
    assert inner == six([-1.36788, 0.731059, 0.731059, 0.268941, -0.268941])
    assert [p.grad for p in w] == six([-0.268941, 0.268941, 0.537883])
    assert [g["x1"].grad, g["x2"].grad] == six([-0.537883, 0.806824])


def test_H_19_squared_error_would_give_other_gradients():
    w = leaves(w0=-3.0, w1=2.0, w2=-3.0)
    (0.5 * (sigmoid_unit(w)["f"] - 1) ** 2).backward()
    assert [p.grad for p in w] == six([-0.0528771, 0.0528771, 0.105754])


def test_H_20_E_H2_H_21_one_update_of_the_sigmoid_unit():
    w = leaves(w0=-3.0, w1=2.0, w2=-3.0)
    sigmoid_unit(w)["L"].backward()
    for p in w:
        p.data -= 0.001 * p.grad
    np.testing.assert_allclose([p.data for p in w], [-2.999731, 1.999731, -3.000538], atol=5e-7)
    assert sigmoid_unit(w)["f"].data == six(0.731376)


def test_H_21_the_step_of_z_is_the_rate_times_the_squared_gradient():
    w = leaves(w0=-3.0, w1=2.0, w2=-3.0)
    before = sigmoid_unit(w)
    z = before["z"].data
    before["L"].backward()
    for p in w:
        p.data -= 0.001 * p.grad
    dz = 0.001 * 0.268941 * (1 + 1 + 4)
    assert sigmoid_unit(w)["z"].data - z == six(dz)
    assert dz == six(0.00161365)


@pytest.mark.parametrize(
    ("w", "y_hat"),
    [
        pytest.param((-2.9973, 1.9973, -3.00054), 0.732331, id="E-H3 misprinted"),
        pytest.param((-2.99973, 1.99973, -3.00054), 0.731377, id="H-20 rounded"),
    ],
)
def test_H_21_E_H3_prediction_from_printed_weights(w, y_hat):
    assert sigmoid_unit([Tensor(value) for value in w])["f"].data == six(y_hat)


def test_H_22_patterns_of_gates():
    x, y = leaves(x=3.0, y=-4.0)
    for gate, expected in [
        (x + y, (1, 1)),  # add distributes
        (maximum(x, y), (1, 0)),  # max routes
        (x * y, (-4, 3)),  # multiply swaps
        (sigmoid(x) + 0 * y, (0.0451767, 0)),
    ]:
        gate.backward()
        assert [x.grad, y.grad] == six(expected)


def test_P_35_H_23_gradients_add_at_branches():
    x = Tensor(0.5)
    (sin(x) * exp(x)).backward()
    assert x.grad == six(np.exp(0.5) * (np.cos(0.5) + np.sin(0.5)))


def two_two_one(w):
    x1, x2 = -1.0, -2.0
    g1, g2, g3, g4 = w[0] * x1, w[1] * x2, w[2] * x1, w[3] * x2
    g5, g6 = g1 + g2, g3 + g4
    g7, g8 = sigmoid(g5), sigmoid(g6)
    g9, g10 = w[4] * g7, w[5] * g8
    g11 = g9 + g10
    return [g1, g2, g3, g4, g5, g6, g7, g8, g9, g10, g11, sigmoid(g11)]


STAND_IN = (-0.8, 0.8, -0.5, -0.8, 2.5, -1.0)


def test_H_24_twelve_nodes_of_the_2_2_1_net():
    g = two_two_one([Tensor(w) for w in STAND_IN])
    # fmt: off
    assert [node.data for node in g] == six([
        0.8, -1.6, 0.5, 1.6, -0.8, 2.1, 0.310026, 0.890903, 0.775064, -0.890903, -0.115839, 0.471072,
    ])
    # fmt: on


def test_H_25_gradients_of_the_2_2_1_net():
    w = [Tensor(value) for value in STAND_IN]
    g = two_two_one(w)
    (-log(g[-1])).backward()
    assert g[10].grad == six(-0.528928)
    assert [p.grad for p in w[4:]] == six([-0.163981, -0.471223])
    assert [p.grad for p in w[:4]] == six([0.282857, 0.565714, -0.0514090, -0.102818])


def test_H_25_E_H9_the_product_from_the_printed_prediction():
    z = Tensor(np.log(0.4711 / 0.5289))
    y_hat = sigmoid(z)
    y_hat.backward()
    assert [y_hat.data, z.grad] == six([0.4711, 0.249165])
    (-log(y_hat)).backward()
    assert y_hat.grad == six(-2.12269)
    assert z.grad == six(-0.528900)
    y_hat = Tensor(0.47)
    (-log(y_hat)).backward()
    assert y_hat.grad == six(-2.12766)


def test_H_26_one_step_of_the_2_2_1_net():
    w = [Tensor(value) for value in STAND_IN]
    before = two_two_one(w)[-1]
    (-log(before)).backward()
    for p in w:
        p.data -= 0.001 * p.grad
    assert [before.data, two_two_one(w)[-1].data] == six([0.471072, 0.471385])


def test_T_53_to_T_58_E_T2_E_T11_one_iteration_by_the_tape():
    X = Tensor([[1.0, 0.1]])
    W0, W1 = leaves(W0=np.array([[1.0, 0.2], [-3.0, 1.0]]), W1=np.array([[1.0], [-1.0]]))
    x1 = X @ W0
    x2 = tanh(x1)
    x3 = x2 @ W1
    loss = euclidean_cost(x3, [[0.5]])
    loss.backward()
    assert x1.data[0] == six([0.7, 0.3])
    assert x2.data[0] == six([0.604368, 0.291313])
    assert [x3.data[0, 0], loss.data] == six([0.313055, 0.0174742])
    assert x3.grad[0] == six([-0.186945])
    assert x2.grad[0] == six([-0.186945, 0.186945])
    assert x1.grad[0] == six([-0.118661, 0.171080])
    assert W0.grad == six([[-0.118661, 0.171080], [-0.0118661, 0.0171080]])
    assert W1.grad[:, 0] == six([-0.112983, -0.0544594])
    for W in (W0, W1):
        W.data -= 0.2 * W.grad
    assert six([[1.02373, -2.99763], [0.165784, 0.996578]]) == W0.data.T
    assert W1.data[:, 0] == six([1.02260, -0.989108])
    new = tanh(X @ W0) @ W1
    assert [new.data[0, 0], euclidean_cost(new, [[0.5]]).data] == six([0.376804, 0.00758858])


def test_lecture_09_twenty_iterations_of_the_exercise():
    W0, W1 = leaves(W0=np.array([[1.0, 0.2], [-3.0, 1.0]]), W1=np.array([[1.0], [-1.0]]))
    for _ in range(20):
        euclidean_cost(tanh(np.array([[1.0, 0.1]]) @ W0) @ W1, [[0.5]]).backward()
        for W in (W0, W1):
            W.data -= 0.2 * W.grad
    loss = euclidean_cost(tanh(np.array([[1.0, 0.1]]) @ W0) @ W1, [[0.5]])
    assert loss.data == pytest.approx(7.7e-10, rel=0.01)


def test_H_27_H_28_backprop_in_layers_of_the_4_3_1_net():
    x = np.array([[1.0, -1.0, 3.0, 2.0]])  # x4 = +2, see E-H1
    W1 = Tensor(np.array([[1, 0, 1, 0], [0, -1, 0.5, -1], [-1, -1, 0, 0.5]]).T, name="W1")
    W2 = Tensor([[-1.0], [1.0], [-1.0]], name="W2")

    def net():
        I1 = x @ W1
        O1 = sigmoid(I1)
        return I1, O1, O1 @ W2

    I1, O1, I2 = net()
    assert I1.data[0] == six([4, 0.5, 1])
    assert O1.data[0] == six([0.982014, 0.622459, 0.731059])
    assert I2.data[0] == six([-1.09061])
    binary_cross_entropy(I2, [[1.0]]).backward()
    assert I2.grad[0] == six([-0.748497])
    assert W2.grad[:, 0] == six([-0.735035, -0.465909, -0.547195])
    assert I1.grad[0] == six([0.0132205, -0.175900, 0.147163])
    assert W1.grad == six(np.outer(x, I1.grad))
    for W in (W1, W2):
        W.data -= 0.001 * W.grad
    assert [sigmoid(I2).data[0, 0], sigmoid(net()[-1]).data[0, 0]] == six([0.251503, 0.251968])


def test_C_58_C_60_two_paths_to_a_weight():
    rng = np.random.default_rng(3)
    x, W1_, W2_ = rng.standard_normal(3), rng.standard_normal((3, 2)), rng.standard_normal(2)
    lam = 0.3
    W1, W2 = leaves(W1=W1_, W2=W2_)
    u1 = x @ W1
    u2 = sigmoid(u1)
    u3 = u2 @ W2
    loss = binary_cross_entropy(u3, 1.0) + lam * (sqrt((W1**2).sum()) + sqrt((W2**2).sum()))
    loss.backward()
    s = lambda z: 1 / (1 + np.exp(-z))  # noqa: E731
    h = s(x @ W1_)
    path = np.outer(x, (s(h @ W2_) - 1) * W2_ * h * (1 - h))
    assert W1.grad == six(path + lam * W1_ / np.linalg.norm(W1_))
    assert W2.grad == six((s(h @ W2_) - 1) * h + lam * W2_ / np.linalg.norm(W2_))


def test_C_61_E_C8_derivative_of_the_prediction_alone():
    rng = np.random.default_rng(4)
    x, W1_, W2_ = rng.standard_normal(3), rng.standard_normal((3, 2)), rng.standard_normal(2)
    W1 = Tensor(W1_)
    u1 = x @ W1
    y_hat = sigmoid(sigmoid(u1) @ W2_)
    y_hat.backward()
    h, y = 1 / (1 + np.exp(-(x @ W1_))), y_hat.data
    assert W1.grad == six(np.outer(x, y * (1 - y) * W2_ * h * (1 - h)))


def test_P_41_to_P_46_and_G_67_the_six_steps_of_a_two_layer_net():
    rng = np.random.default_rng(5)
    X, Y = rng.standard_normal((1, 3)), rng.standard_normal((1, 2))
    W1, b1, W2, b2 = (Tensor(rng.standard_normal(s)) for s in [(3, 4), (4,), (4, 2), (2,)])
    x = Tensor(X)
    z = affine(x, W1, b1)
    h = tanh(z)
    y_hat = affine(h, W2, b2)
    euclidean_cost(y_hat, Constant(Y)).backward()
    dy = y_hat.data - Y
    dh = dy @ W2.data.T
    dz = dh * (1 - np.tanh(z.data) ** 2)
    for node, expected in [
        (y_hat, dy), (h, dh), (z, dz), (W2, h.data.T @ dy), (b2, dy[0]),
        (W1, X.T @ dz), (b1, dz[0]), (x, dz @ W1.data.T),
    ]:  # fmt: skip
        np.testing.assert_allclose(node.grad, expected, rtol=1e-12)


def test_T_41_lecture_12_input_gradients_of_the_exercise():
    X = Tensor([[1.0, 0.1]])
    output = tanh(X @ np.array([[1.0, 0.2], [-3.0, 1.0]])) @ np.array([[1.0], [-1.0]])
    output.sum().backward()
    assert X.grad[0] == six([0.451712, -2.81936])
    euclidean_cost(output, [[0.5]]).backward()
    assert X.grad[0] == six([-0.0844453, 0.527064])
