"""Writes significance.json: tests of two samples by SciPy, with the samples, and quantiles of Beta distributions. See README.md.

Run: python3 test/golden/significance.py
"""
import json
import pathlib

import numpy as np
from scipy import special, stats

PATH = pathlib.Path(__file__).parent / "significance.json"
rng = np.random.RandomState(11)


def kolmogorov_smirnov(a, b):
    result = stats.ks_2samp(a, b, method="exact")
    return {"a": sorted(a.tolist()), "b": sorted(b.tolist()), "statistic": result.statistic, "pValue": result.pvalue}


def large(m, n, scaled):
    """The exact chance where the statistic is a value it can have, about `scaled` over the root of the harmonic size."""
    a, b = np.arange(m), np.arange(n) * m / n
    shift = scaled * np.sqrt((m + n) / (m * n))
    result = stats.ks_2samp(a, b + shift * m, method="exact")
    return [m, n, result.statistic, result.pvalue]


def chi_square(a, b):
    table = np.array([a, b])
    kept = table[:, table.sum(0) > 0]
    result = stats.chi2_contingency(kept, correction=False)
    return {"a": a, "b": b, "statistic": result.statistic, "degrees": int(result.dof), "pValue": result.pvalue}


def normal(count, mean=0.0):
    return np.round(rng.normal(mean, size=count), 6)


print("writing", PATH, "with SciPy", __import__("scipy").__version__)
PATH.write_text(json.dumps({
    "kolmogorovSmirnov": [
        kolmogorov_smirnov(normal(7), normal(9)),
        kolmogorov_smirnov(normal(12), normal(12)),
        kolmogorov_smirnov(normal(40), normal(25, 1.0)),
        kolmogorov_smirnov(normal(60), normal(60, 2.5)),
        kolmogorov_smirnov(normal(150), normal(200, 0.3)),
        kolmogorov_smirnov(np.round(normal(50) * 2), np.round(normal(30, 0.5) * 2)),
        kolmogorov_smirnov(np.array([1.0]), np.array([2.0, 3.0])),
    ],
    "kolmogorovSmirnovLarge": [
        large(m, n, scaled)
        for m, n in [(250, 250), (300, 700), (1000, 901), (1000, 1000), (5000, 5000)]
        for scaled in [0.7, 1.0, 1.36, 1.63, 2.0, 2.5]
    ],
    "kolmogorov": [[x, special.kolmogorov(x)] for x in [0.05, 0.2, 0.5, 0.8276, 0.99, 1.0, 1.3581, 2.0, 3.5, 6.0]],
    "chiSquare": [
        chi_square([10, 20, 30], [12, 18, 33]),
        chi_square([100, 0, 5, 60], [40, 0, 30, 61]),
        chi_square([30, 1], [1, 30]),
        chi_square([5, 5], [5, 5]),
        chi_square(rng.poisson(20, 31).tolist(), rng.poisson(25, 31).tolist()),
    ],
    "chiSquareSurvival": [[x, d, stats.chi2.sf(x, d)] for d in [1, 2, 3, 9, 10, 99] for x in [0.0, 0.3, 2.0, 9.5, 12.0, 60.0, 200.0]],
    "betaQuantiles": [[alpha, p, stats.beta.ppf(p, alpha, alpha)] for alpha in [0.1, 0.2, 0.4, 1, 2, 8, 50] for p in np.linspace(1 / 128, 63 / 128, 32).tolist()],
}, indent=1) + "\n")
