"""Measure what the core is asked to do.

    python benchmarks/core.py [PART ...] [--write]

All ratios come from one run on one machine. Times are the best of a few repetitions; ratios are medians over rounds
in which the two sides take turns, so that a busy machine slows both.
"""

import bisect
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

os.environ["LABNOISE_PROGRESS"] = "0"

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax.tree_util import Partial
from report import run_parts

import labnoise as ln

HERE = Path(__file__).parent
KEY = jax.random.key(0)


def best(function, repeats=3):
    """Shortest time of a few runs, the first of which (compilation) does not count."""
    jax.block_until_ready(function())
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        jax.block_until_ready(function())
        times.append(time.perf_counter() - start)
    return min(times)


def report(what, asked, measured):
    print(f"{what:<68} | {asked:<18} | {measured}", flush=True)


def slope(sizes, times):
    return np.polyfit(np.log(sizes), np.log(times), 1)[0]


def peak_memory():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def timed(function):
    start = time.perf_counter()
    jax.block_until_ready(function())
    return time.perf_counter() - start


def numpy_step(problem, steps=20_000):
    Z, y = np.asarray(problem.design, np.float32), np.asarray(problem.targets, np.float32)
    v, random, eta = np.ones(100, np.float32), np.random.default_rng(0), np.float32(0.01)
    start = time.perf_counter()
    for _ in range(steps):
        weights = (Z @ (v * v) - y) / np.float32(40)
        weights[random.integers(40)] -= np.float32(random.standard_normal())
        v = v - eta * (Z.T @ weights) * v
    return (time.perf_counter() - start) / steps


def c_program(folder):
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None:
        return None
    program, source = f"{folder}/hao_chen", str(HERE / "hao_chen.c")
    subprocess.run([compiler, "-O3", "-march=native", source, "-o", program, "-lm"], check=True)
    return program


def c_step(program):
    if program is None:
        return np.nan
    return (
        float(subprocess.run([program], check=True, capture_output=True, text=True).stdout.split()[0]) * 1e-6
    )


def two_products(problem, x0, steps=100_000):
    """The two matrix products of a step alone, without randomness: what the compiler itself needs."""
    Z, y = jnp.asarray(problem.design, jnp.float32), jnp.asarray(problem.targets, jnp.float32)

    def step(_, v):
        return v - 0.01 * ((Z @ (v * v) - y) / 40 @ Z) * v

    return jax.jit(lambda v: jax.lax.fori_loop(0, steps, step, v)), steps


def sgd_steps():
    problem, _ = ln.random_sparse_regression(KEY, 40, 100, 5, "gaussian", "square", 0.25)
    noise = ln.LabelNoise(problem, 1.0, distribution="normal", gradient="full")
    x0, keys = jnp.ones(100, jnp.float32), jax.random.split(KEY, 64)
    products, number = two_products(problem, x0)
    rounds = []
    with tempfile.TemporaryDirectory() as folder:
        program = c_program(folder)
        for _ in range(8):  # the first compiles
            rounds.append(
                (
                    timed(lambda: ln.sgd(noise, x0, 0.01, 300_000, KEY).states) / 300_000,
                    timed(lambda: ln.sgd(noise, x0, 0.01, 20_000, keys).states) / 20_000 / 64,
                    numpy_step(problem),
                    c_step(program),
                    timed(lambda: products(x0)) / number,
                )
            )
    rounds = np.array(rounds[1:])
    one, many, plain, compiled, _ = rounds.min(0)

    def ratio(i, j):
        return np.median(rounds[:, i] / rounds[:, j])

    report("HaoChen step, one chain", "", f"{one * 1e6:.2f} µs")
    report("HaoChen step, per chain at 64 replicas", "", f"{many * 1e6:.2f} µs")
    report("one chain against a plain NumPy loop", "≥ 10×", f"{ratio(2, 0):.1f}× ({plain * 1e6:.1f} µs)")
    report("per chain at 64 replicas against NumPy", "≥ 25×", f"{ratio(2, 1):.1f}×")
    if program is None:
        report("compiled C loop", "", "no compiler here")
    else:
        report("one chain, of the time of C", "≤ 1.2", f"{ratio(0, 3):.2f} ({compiled * 1e6:.2f} µs)")
        report("its two matrix products alone, as JAX compiles them, of C", "", f"{ratio(4, 3):.2f}")
        report("per chain at 64 replicas, of the time of C", "≤ 0.6", f"{ratio(1, 3):.2f}")
    lengths = [50_000, 100_000, 200_000, 400_000]
    report(
        "cost of SGD grows with the steps to the power",
        "1",
        f"{slope(lengths, [best(lambda k=k: ln.sgd(noise, x0, 0.01, k, KEY).states) for k in lengths]):.2f}",
    )
    counts = [32, 64, 128, 256]
    times = [best(lambda r=r: ln.sgd(noise, x0, 0.01, 4000, jax.random.split(KEY, r)).states) for r in counts]
    report("cost of SGD grows with the replicas to the power", "1", f"{slope(counts, times):.2f}")


def exact_flow():
    problems = [ln.random_sparse_regression(jax.random.key(i), 100, 200, 10)[0] for i in range(20)]
    x0, t = (
        jnp.ones(400),
        jnp.array([4 / 8]),
    )  # c = 2: the initialization shrinks by e^{−4cmt} = e^{−4}, m ≈ 1

    def all_of_them():
        return [ln.label_noise_flow(problem, x0, t, 1.0) for problem in problems]

    report("exact flow, 20 problems n=100, d=200, to scale e^-4", "≤ 0.6 s", f"{best(all_of_them):.3f} s")
    late = [
        float(
            abs(
                p.weights(ln.label_noise_flow(p, x0, jnp.array([40.0]), 1.0)[0])
                - p.basis_pursuit(p.second_moments)
            ).max()
        )
        for p in problems[:5]
    ]
    report("exact flow at t = 40 against HiGHS (t = ∞), 5 problems", "1e-9", f"{max(late):.1e}")
    big, _ = ln.random_sparse_regression(KEY, 300, 2000, 10)
    x_big = jnp.ones(4000)
    end = ln.label_noise_flow(big, x_big, t, 1.0)[0]
    took = best(lambda: ln.label_noise_flow(big, x_big, t, 1.0))
    report(
        "exact flow, n=300, d=2000: residual, time",
        "solves",
        f"{float(abs(big.residual(end)).max()):.0e}, {took:.2f} s",
    )
    early = jnp.array([0.1])  # about six Newton steps at each size
    sizes, times = [800, 1600, 3200, 6400], []
    for d in sizes:
        problem, _ = ln.random_sparse_regression(KEY, 100, d, 10)
        times.append(best(lambda p=problem, d=d: ln.label_noise_flow(p, jnp.ones(2 * d), early, 1.0)))
    report("cost of the exact flow, n = 100, d = 800 to 6400: power of d", "1", f"{slope(sizes, times):.2f}")
    sizes, times = [100, 200, 400, 800], []
    for n in sizes:
        problem, _ = ln.random_sparse_regression(KEY, n, 1600, 10)
        times.append(best(lambda p=problem: ln.label_noise_flow(p, jnp.ones(3200), early, 1.0)))
    report("cost of the exact flow, d = 1600, n = 100 to 800: power of n", "2", f"{slope(sizes, times):.2f}")


def adam_steps():
    problem, _ = ln.random_sparse_regression(KEY, 40, 100, 5, "gaussian", "square")
    noise, x0, optimizer = ln.LabelNoise(problem, 1.0), jnp.ones(100), optax.adam(1e-3)
    many = jax.random.split(KEY, 64)
    keys = list(jax.random.split(KEY, 2000))

    @jax.jit
    def step(key, x, state):
        updates, state = optimizer.update(noise.sample_gradient(key, x), state, x)
        return optax.apply_updates(x, updates), state

    def plain():
        x, state = x0, optimizer.init(x0)
        for key in keys:
            x, state = step(key, x, state)
        return x

    rounds = []
    for _ in range(8):  # the first compiles
        rounds.append(
            (
                timed(plain) / len(keys),
                timed(lambda: ln.train(noise, x0, optimizer, 200_000, KEY).states) / 200_000,
                timed(lambda: ln.train(noise, x0, optimizer, 20_000, many).states) / 20_000 / 64,
            )
        )
    rounds = np.array(rounds[1:])
    loop, one, beside = rounds.min(0) * 1e6
    report(
        "`train` with Adam, D=100, n=40, one chain, against a Python loop",
        "≥ 20×",
        f"{np.median(rounds[:, 0] / rounds[:, 1]):.0f}× ({one:.2f} µs, {loop:.0f} µs)",
    )
    report(
        "per chain at 64 replicas, against a Python loop",
        "≥ 60×",
        f"{np.median(rounds[:, 0] / rounds[:, 2]):.0f}× ({beside:.2f} µs)",
    )


def small_loops():
    """A chain with the setting of `labnoise._compiler` over one without, each in processes of its own, in turn."""
    rounds = {"whole": [], "apart": []}
    for _ in range(3):
        for name, bytes_ in (("whole", 10**6), ("apart", 1024)):
            flags = f"--xla_backend_extra_options=xla_cpu_small_while_loop_byte_threshold={bytes_}"
            command = [sys.executable, __file__, "chains"]
            output = subprocess.run(
                command, check=True, capture_output=True, text=True, env=os.environ | {"XLA_FLAGS": flags}
            )
            rounds[name].append(
                dict(line.split(" | ") for line in output.stdout.splitlines() if " | " in line)
            )
    for name in rounds["whole"][0]:
        ratios = [
            float(apart[name]) / float(whole[name])
            for whole, apart in zip(rounds["whole"], rounds["apart"], strict=True)
        ]
        report(f"one chain, {name}: small loops whole", "", f"{np.median(ratios):.1f}× as fast")


def chains():
    """Microseconds a step, for `small_loops`."""
    sparse, _ = ln.random_sparse_regression(KEY, 40, 100, 5, "gaussian", "square", 0.25)
    full = ln.LabelNoise(sparse, 1.0, distribution="normal", gradient="full")
    batch, hyperbola = ln.LabelNoise(sparse, 1.0), ln.LabelNoise(ln.landscapes.hyperbola(), 0.5)
    net, y = wide_network(32)
    adam = optax.adam(1e-3)
    for name, run, steps in (
        ("HaoChen et al.", lambda k: ln.sgd(full, jnp.ones(100, jnp.float32), 0.01, k, KEY), 200_000),
        ("the same in float64, batch 1", lambda k: ln.sgd(batch, jnp.ones(100), 1e-3, k, KEY), 200_000),
        ("that with Adam", lambda k: ln.train(batch, jnp.ones(100), adam, k, KEY), 100_000),
        ("the hyperbola", lambda k: ln.sgd(hyperbola, jnp.array([2.0, 0.5]), 1e-3, k, KEY), 200_000),
        ("a network, D = 320", lambda k: ln.sgd(ln.LabelNoise(net, 0.5), y, 1e-3, k, KEY), 20_000),
    ):
        print(f"{name} | {best(lambda run=run, steps=steps: run(steps).states) / steps * 1e6}", flush=True)


def against_sgd():
    problem, _ = ln.random_sparse_regression(KEY, 40, 100, 5)
    noise, x0, eta, part = ln.LabelNoise(problem, 1.0), jnp.ones(200), 1e-3, 50_000
    for t in (0.5, 1.0):
        rounds = []
        for _ in range(6):
            exact = best(lambda t=t: ln.label_noise_flow(problem, x0, jnp.array([t]), 1.0), 5)
            rounds.append(timed(lambda: ln.sgd(noise, x0, eta, part, KEY).states) / part * t / eta**2 / exact)
        report(
            f"the point of Γ at t = {t}, by SGD at η = 1e-3 ({t:.1f} million steps), of exact",
            "≥ 1000×",
            f"{np.median(rounds[1:]):.0f}× (exact {exact * 1e3:.1f} ms)",
        )


def adaptive_flow():
    problem, _ = ln.random_sparse_regression(KEY, 40, 100, 8)
    for rate in (float("inf"), 10.0):
        took = best(
            lambda rate=rate: ln.adaptive_flow(problem, jnp.ones(200), jnp.array([2.0]), 1.0, rate)[0]
        )
        report(f"adaptive_flow, n=40, d=100, to t = 2, rate {rate:g}", "≤ 2 s", f"{took:.2f} s")


def dense_drift():
    for size, asked in ((200, "≤ 50 ms"), (1000, "≤ 3 s, ≤ 1.5 GB")):
        d = size // 2
        problem, _ = ln.random_sparse_regression(KEY, d // 2, d, 5)
        x = ln.project(problem, jnp.ones(size) + 0.1 * jnp.sin(jnp.arange(size)))
        cov = jnp.eye(size)
        traced = jax.jit(lambda problem, cov, x: ln.drift_terms(problem, cov, x).total)
        took = best(lambda f=traced, p=problem, c=cov, x=x: f(p, c, x))
        report(
            f"drift_terms, D = {size}: time, peak memory so far",
            asked,
            f"{took * 1e3:.0f} ms, {peak_memory():.2f} GB",
        )


def network(x, inputs):
    width = inputs.shape[1] + 2
    hidden = x.reshape(-1, width)
    return jnp.tanh(inputs @ hidden[:, :-2].T + hidden[:, -2]) @ hidden[:, -1] / len(hidden) ** 0.5


def by_conditions(x, problem):
    return 0.5 * (problem.conditions(x)[0] ** 2).sum() / problem.num_examples


def by_hessian(x, problem):
    return 0.5 * ln.sharpness(problem, x)


def regularizer_flow():
    problem, y = wide_network(100)
    times, ends = jnp.array([1.0]), []
    for name, form in (("gradients of outputs", by_conditions), ("`sharpness`", by_hessian)):
        regularizer = Partial(form, problem=problem)
        took = best(
            lambda r=regularizer: ends.append(ln.regularizer_flow(problem, y, times, r)[0]) or ends[-1]
        )
        steps = steps_taken(problem, y, times, Partial(by_conditions, problem=problem))
        report(
            f"regularizer_flow, D = 1000, n = 50, ½ tr H by {name}, ten steps (to t = 1: {steps})",
            "≤ 1 s",
            f"{10 * took / steps:.2g} s ({took:.2g} s)",
        )
    report("largest difference of the two", "1e-8", f"{float(abs(ends[0] - ends[-1]).max()):.0e}")


def steps_taken(problem, y, times, regularizer):
    """The least number of steps with which the flow comes to the end."""

    def reaches(most):
        try:
            ln.regularizer_flow(problem, y, times, regularizer, max_steps=most)
        except ValueError:
            return False
        return True

    return bisect.bisect_left(range(1, 2000), True, key=reaches) + 1


def wide_network(width, rows=True):
    """50 examples, 8 features, 10 weights a unit, and a point of Γ; without `rows` all outputs or none."""
    inputs = jax.random.normal(KEY, (50, 8))
    targets = jnp.sin(inputs[:, 0])
    if rows:
        problem = ln.LeastSquares(network, targets, inputs=inputs)
    else:
        problem = ln.LeastSquares(Partial(network, inputs=inputs), targets)
    return problem, ln.project(problem, jax.random.normal(jax.random.key(1), (10 * width,)))


def a_step(problem, y):
    """Seconds of a step of the flow, six slopes."""
    from labnoise.limits._label_noise_flow import flow_field

    step = jax.jit(flow_field)
    return 6 * best(lambda: step(problem, y, 1.0))


def large_network():
    problem, y = wide_network(1000, rows=False)
    report(
        "label_noise_flow, tanh network, D = 10 000, n = 50, without `inputs`: a step",
        "≤ 0.5 s",
        f"{a_step(problem, y):.2f} s",
    )
    report("peak memory of it", "≤ 1 GB", f"{peak_memory():.2f} GB")


def matrix_free():
    problem, y = wide_network(10_000)
    report("the same with `inputs`, D = 100 000: a step", "≤ 1.5 s", f"{a_step(problem, y):.2f} s")
    report("its sharpness on Γ", "≤ 10 s", f"{best(lambda: ln.sharpness(problem, y)):.2f} s")
    report_drift(problem, y, "≤ 30 s", "≤ 3 GB")


def less_wide():
    problem, y = wide_network(1000)
    took = best(lambda: ln.label_noise_flow(problem, y, jnp.array([0.1]), 1.0))
    report("the same with `inputs`, D = 10 000: the flow to t = 0.1", "≤ 5 s", f"{took:.1f} s")
    report_drift(problem, y, "≤ 10 s", "≤ 1 GB")


def report_drift(problem, y, seconds, memory):
    noise = ln.LabelNoise(problem, 1.0)
    took = best(lambda: ln.drift_terms(problem, noise, y).total)
    report("its drift terms of label noise", seconds, f"{took:.2f} s")
    report("peak memory of these", memory, f"{peak_memory():.2f} GB")


def diffusion():
    problem, y = wide_network(21)
    noise = ln.LabelNoise(problem, 1.0)
    took = best(lambda: ln.limiting_diffusion(noise, y, 0.2, 200, KEY).states)
    report("limiting_diffusion, D = 210, 200 steps", "≤ 5 s", f"{took:.1f} s")


def digits():
    from afterzero.experiments import digits as experiment

    drawn = experiment.draw(np.random.default_rng(0))
    start = jnp.asarray(drawn.x0)
    report(
        "digits, 40 examples, D = 2112: Φ", "≤ 5 s", f"{best(lambda: ln.project(drawn.problem, start)):.2f} s"
    )
    t = jnp.array([20.0])
    took = best(lambda: ln.label_noise_flow(drawn.problem, start, t, 1.0))
    report("digits: label-noise flow to t = 20, with Φ", "≤ 5 s", f"{took:.2f} s")


PARTS = {
    "sgd": sgd_steps,
    "flow": exact_flow,
    "against": against_sgd,
    "adam": adam_steps,
    "loops": small_loops,
    "regularizer": regularizer_flow,
    "adaptive": adaptive_flow,
    "drift": dense_drift,
    "network": large_network,
    "matrix-free": matrix_free,
    "less-wide": less_wide,
    "diffusion": diffusion,
    "digits": digits,
}


if __name__ == "__main__":
    if sys.argv[1:] == ["chains"]:
        chains()
    else:
        run_parts("core", PARTS)
