"""Modules loaded at their first use: each question in a process of its own, for a module is loaded once."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from scipy.stats import chi2, norm, rankdata
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import QuantileTransformer

START = """
import sys
from govern.worker import later
later.install()
def waits(name):
    return type(sys.modules[name]).__name__ == "_Waiting"
"""


def said(code: str) -> list[str]:
    """The words that a fresh process printed after `later.install`."""
    done = subprocess.run([sys.executable, "-c", START + code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def test_libraries_of_models_do_not_load_it() -> None:
    """What this is for: the imports of a scikit-learn and a LightGBM model leave these modules waiting."""
    code = """
import lightgbm, pandas, sklearn.compose, sklearn.ensemble, sklearn.linear_model, sklearn.pipeline
print(*map(waits, later.LATER), later.seconds())
"""
    assert said(code) == ["True", "True", "True", "True", "0.0"]


@pytest.mark.parametrize("use", [
    "from scipy.stats import rankdata",
    "import scipy.stats; rankdata = scipy.stats.rankdata",
    "from scipy import stats; rankdata = stats.rankdata",
    "import sklearn.metrics._ranking as m; rankdata = m.rankdata",
])
def test_a_function_that_stands_in_gives_what_the_real_one_gives(use: str) -> None:
    code = f"""
{use}
print(waits("scipy.stats"), callable(rankdata), waits("scipy.stats"))
print(*rankdata([3, 1, 1], method="min"), waits("scipy.stats"), later.seconds() > 0)
print(rankdata([2, 1])[0], rankdata.__name__, sys.modules["scipy.stats"].rankdata is not rankdata)
"""
    ranks = [str(r) for r in rankdata([3, 1, 1], method="min")]
    assert said(code) == ["True", "True", "True", *ranks, "False", "True", "2.0", "rankdata", "True"]


@pytest.mark.parametrize("use", [
    "from scipy.stats import norm",
    "import scipy.stats; norm = scipy.stats.norm",
    "import sklearn.preprocessing._data as m; norm = m.stats.norm",
    "from scipy.stats import *",
    "import scipy.stats._continuous_distns as m; norm = m.norm",
    "from scipy.stats.distributions import norm",
    "import pickle; norm = pickle.loads(b'cscipy.stats._continuous_distns\\nnorm_gen\\n.')(name='n')",
])
def test_anything_else_is_the_real_thing(use: str) -> None:
    code = f"""
import scipy.stats
before = waits("scipy.stats")
module = sys.modules["scipy.stats"]
{use}
print(before, waits("scipy.stats"), repr(float(norm.ppf(0.975))), module is sys.modules["scipy.stats"])
import scipy.stats._continuous_distns as part, scipy.stats as whole
print(type(norm) is part.norm_gen, whole.norm is part.norm, whole._continuous_distns is part)
print(whole.__spec__.name, part.__spec__.name, type(part.__spec__.loader).__name__, whole.__path__ != [])
"""
    value = repr(float(norm.ppf(0.975)))
    assert said(code) == ["True", "False", value, "True", "True", "True", "True", "scipy.stats",
                          "scipy.stats._continuous_distns", "SourceFileLoader", "True"]


def test_an_object_that_stands_in_has_the_methods_of_the_real_one() -> None:
    code = """
import sklearn.covariance._robust_covariance as m
print(waits("scipy.stats"), repr(float(m.chi2(3).isf(0.05))), repr(float(m.chi2.isf(0.05, 3))), waits("scipy.stats"))
"""
    value = repr(float(chi2.isf(0.05, 3)))
    assert said(code) == ["True", value, value, "False"]


def test_a_class_that_stands_in_can_be_made_asked_about_and_inherited_from() -> None:
    code = """
from scipy.interpolate import BSpline
print(waits("scipy.interpolate"))
class Mine(BSpline):
    pass
import scipy.interpolate
made = BSpline([0, 1, 2, 3], [1, 2], 1), Mine([0, 1, 2, 3], [1, 2], 1)
print(*(isinstance(m, BSpline) for m in made), issubclass(Mine, BSpline), issubclass(int, BSpline))
print(Mine.__mro__[1] is scipy.interpolate.BSpline is type(made[0]), made[0](1.5) == made[1](1.5))
"""
    assert said(code) == ["True", "True", "True", "True", "False", "True", "True"]


def test_a_name_that_is_nowhere_is_an_error_as_always() -> None:
    code = """
try:
    from scipy.stats import no_such_thing
except ImportError as error:
    print(type(error).__name__)
import scipy.stats
print(hasattr(scipy.stats, "nor_this"), scipy.stats.norm.name)
try:
    import scipy.stats.no_such_part
except ModuleNotFoundError as error:
    print(error.name)
"""
    assert said(code) == ["ImportError", "False", "norm", "scipy.stats.no_such_part"]


def test_the_time_of_one_that_loads_others_is_counted_once() -> None:
    code = """
import scipy.interpolate, scipy.stats, time
started = time.perf_counter()
scipy.stats.norm
passed = time.perf_counter() - started
print(waits("scipy.interpolate"), 0.9 * passed < later.seconds() <= passed)
"""
    assert said(code) == ["False", "True"]


def test_threads_that_use_it_first_at_once_all_get_it() -> None:
    code = """
from concurrent.futures import ThreadPoolExecutor
from scipy.stats import rankdata
with ThreadPoolExecutor(8) as pool:
    print(*(r[0] for r in pool.map(rankdata, [[2, 1]] * 8)))
"""
    assert said(code) == ["2.0"] * 8


def test_a_model_that_uses_it_answers_the_same_and_loading_it_is_not_its_time(worker, numbers, to_batch, loaded):
    """QuantileTransformer calls scipy.stats.norm in transform."""
    x, y = numbers
    model = make_pipeline(QuantileTransformer(n_quantiles=50, output_distribution="normal"), LogisticRegression())
    model.fit(x, y)
    loaded(worker, model)
    first, again = worker.predict(to_batch(x), "1"), worker.predict(to_batch(x), "1")
    assert first.score.tolist() == again.score.tolist() == model.predict_proba(x)[:, 1].tolist()
    assert np.isfinite(first.seconds) and first.seconds < 1


def test_a_module_that_is_absent_is_there_again_afterwards() -> None:
    code = """
with later.absent("rich.progress"):
    import sklearn.callback._progressbar as bar
    try:
        import rich.progress
    except ImportError as error:
        print(type(error).__name__)
import rich.progress
with later.absent("rich.progress"):
    import rich.progress
print(hasattr(bar, "_Progress"), rich.progress.Progress.__name__)
"""
    assert said(code) == ["ModuleNotFoundError", "False", "Progress"]
