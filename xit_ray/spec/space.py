"""The whole of a search-space file: the recipe with its domains, and how to search, score, run and keep it."""

from difflib import get_close_matches
from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from xit_ray.spec import plugins
from xit_ray.spec.base import Strict
from xit_ray.spec.own_task import OwnTask
from xit_ray.spec.recipe import Recipe


class Finalists(Strict):
    """The final stage of a search: the best recipes once more, with fresh seeds in all their stages."""

    top: int = Field(default=3, gt=0)
    """Recipes of each target that are trained again, by English dev; its best baseline always is."""
    seeds: int = Field(default=2, gt=0, le=100)
    """Fresh seeds of each. The matrix then has their mean, and English dev's mean over them names the winner."""


Keep = Literal["winners", "all", "none"]


class Replicates(Strict):
    """How many seeds every cell of the matrix stands on. In YAML a bare number stands for ``{seeds: NUMBER}``."""

    seeds: int = Field(default=1, gt=0, le=100)
    """Seeds of each cell. Where the recipes of a target's cells differ in more than seeds, they compete at their own seed,
    and the best of each cell, by English dev, is then trained with so many fresh seeds, which alone count: the seed that
    a recipe was chosen by favours it."""
    of: Literal["all", "target"] = "all"
    """all: the seeds of all stages differ, so that an interval covers the training of the intermediate task too; target:
    those of the last stage alone, which costs less and covers less."""

    @classmethod
    def expand(cls, value: Any) -> Any:
        """A bare number is one of seeds."""
        return {"seeds": value} if isinstance(value, int) and not isinstance(value, bool) else value


class Search(Strict):
    """Which recipes are tried."""

    algorithm: str = "grid"
    """grid: every combination of the ``grid`` domains; random; tpe: Optuna's tree-structured Parzen estimator; or the name
    of a plugin's searcher."""
    trials: int = Field(default=1, gt=0, le=20_000)
    """grid: draws per grid point, for the domains that are not ``grid``; else the number of trials."""
    seed: int = Field(default=0, ge=0, lt=2**32)
    """Seed of the draws."""
    objective: Literal["dev", "dev_against_gpu_hours"] = "dev"
    """tpe: what is searched for: the best English dev, or the front of English dev against the GPU-hours (without GPUs, the
    device-hours) that a recipe takes alone."""
    finalists: Finalists | None = None
    """Train the best recipes again with fresh seeds, so that the winner is not the luckiest; null does not."""

    @property
    def listed(self) -> bool:
        """Whether all recipes are known before the first trial."""
        return self.algorithm in ("grid", "random")

    @field_validator("algorithm")
    @classmethod
    def _algorithm_exists(cls, name: str) -> str:
        return _known(name, ("grid", "random", "tpe"), "searchers")

    @model_validator(mode="after")
    def _objective_is_for_tpe(self) -> "Search":
        if self.objective != "dev" and self.algorithm != "tpe":
            raise ValueError(f"objective {self.objective!r} is for algorithm 'tpe', found {self.algorithm!r}")
        return self


class Preselection(Strict):
    """A cheap estimate of every cell before any trial; it orders the trials and leaves some out. Where a cell has several
    recipes (learning rates), the first of them is estimated."""

    by: str = "probe"
    """probe: English dev of the recipe at a short budget; logme: evidence of the target's English labels under the encoder
    after the intermediate stages at a short budget (You et al. 2021); text: cosine of the mean vectors of both tasks'
    training texts (Vu et al. 2020), which trains nothing; or the name of a plugin's estimator."""
    rows: int = Field(default=256, ge=16)
    """Rows of every task that the estimate sees."""
    keep: float = Field(default=0.5, gt=0, le=1)
    """Share of each target's intermediates that is trained, ties included; its baseline always is."""

    @field_validator("by")
    @classmethod
    def _estimator_exists(cls, name: str) -> str:
        return _known(name, ("probe", "logme", "text"), "estimators")


class Scheduler(Strict):
    """Which trials are stopped before their end, by English dev alone."""

    name: str = "none"
    """asha: asynchronous successive halving (Li et al. 2020) on the steps of the target stage; median: a trial stops whose
    best English dev is below the median of what the others had on average by that step (Golovin et al. 2017); or the name of
    a plugin's rule."""
    compare: Literal["cell", "target"] = "cell"
    """cell: only trials of the same intermediate and target compete, so every cell of the matrix ends with a
    winner; target: all intermediates of a target compete, its baseline apart, and stopped cells stay empty."""
    grace: float = Field(default=0.25, gt=0, le=1)
    """Share of the target stage that every trial may train."""
    reduction: float = Field(default=2.0, gt=1)
    """asha: one in this many trials passes a rung."""

    @field_validator("name")
    @classmethod
    def _rule_exists(cls, name: str) -> str:
        return _known(name, ("none", "asha", "median"), "schedulers")


class ZeroShot(Strict):
    """What is scored, once, after the choice is made."""

    languages: tuple[str, ...] | Literal["xtreme", "xtreme-r", "present"] | None = None
    """Score only these languages, or those a suite has for each task, or those whose files are present in the data folder;
    null means every language the task has, and one without a file is an error."""
    tests: tuple[str, ...] = ()
    """More test sets for the targets' heads, each a column of the matrix: tasks of the same kind and labels as a target (a
    SQuAD head answers ``xquad`` and ``mlqa``, an XNLI head ``americas_nli``)."""
    embedding_tests: tuple[str, ...] = ()
    """Tasks that are scored on the encoder's embeddings, without a head (such as ``tatoeba``), for every finished trial."""
    untrained: bool = False
    """Score ``embedding_tests`` with the pretrained encoder too, before any training."""
    items: int | None = Field(default=None, ge=10)
    """Score a fixed random sample of so many test rows in each language, the same for every trial and, where languages are
    translations of one another, the same items in all; null scores all. ``embedding_tests`` are scored whole."""

    @field_validator("languages", mode="before")
    @classmethod
    def _languages_are_listed_or_named(cls, value: Any) -> Any:
        if isinstance(value, str) and value not in ("xtreme", "xtreme-r", "present"):
            raise ValueError(f"found {value!r}; allowed: a list of languages, xtreme, xtreme-r, present, or null")
        return value

    @model_validator(mode="after")
    def _tests_are_named_once(self) -> "ZeroShot":
        if self.untrained and not self.embedding_tests:
            raise ValueError("untrained scores 'embedding_tests'; name some, or leave it out")
        for key, names in (("tests", self.tests), ("embedding_tests", self.embedding_tests)):
            twice = next((name for name in names if names.count(name) > 1), None)
            if twice is not None:
                raise ValueError(f"{key}: {twice!r} is named twice")
        return self


class Budget(Strict):
    """What a search may cost: it stops starting trials that it would not finish within it, and says which were left."""

    minutes: float | None = Field(default=None, gt=0)
    """Wall-clock time from the search's first start, time between a kill and a resume included."""
    gpu_hours: float | None = Field(default=None, gt=0)
    """GPU-hours of training and scoring; on machines without GPUs, hours of runs."""
    usd: float | None = Field(default=None, gt=0)
    """Money, at ``instance``'s price for each GPU-hour."""
    instance: str | None = None
    """For ``usd``: an instance type of ``xit_ray/plan/prices.yaml``."""

    @model_validator(mode="after")
    def _money_has_a_price(self) -> "Budget":
        if (self.usd is None) != (self.instance is None):
            raise ValueError("'usd' and 'instance' go together: the money and the instance whose price is paid")
        return self

    @property
    def limited(self) -> bool:
        """Whether there is a limit at all."""
        return any(limit is not None for limit in (self.minutes, self.gpu_hours, self.usd))


class Resources(Strict):
    """What one training run takes, and how many may run."""

    gpus: float = Field(default=0, ge=0, le=1)
    """GPUs a worker: 1, or a share of one where several runs fit on it."""
    workers: int = Field(default=1, gt=0)
    """Workers a run, which share every step's rows; but for dropout, steps are the same for any number of them."""
    sharded: bool = False
    """Divide weights, gradients and optimiser state among the workers (FSDP), for encoders too large for one GPU."""
    batch_tokens: int | None = Field(default=None, ge=512)
    """Tokens a worker takes at once; a step with more is gone through in parts. null: what suits the device. A GPU that
    runs out of memory halves it by itself."""
    checkpointing: bool = False
    """Compute activations again on the way back in place of keeping them: less memory, about a third more time."""
    cpus: int = Field(default=1, gt=0)
    """CPU cores a worker; also its number of torch threads when it has no GPU."""
    runs: int | None = Field(default=None, gt=0)
    """Runs at a time; null means as many as this machine holds. Name the maximum of an autoscaling cluster."""
    rescue_minutes: float | None = Field(default=10.0, gt=0)
    """On a cluster whose cloud refuses the machines that are asked for: after so many minutes, ask for those that the
    cluster's file gives the resource ``xit_rescue``; null never does."""
    retries: int = Field(default=1, ge=0)
    """How often a crashed trial is started again."""
    compile: bool = False
    """Compile the encoder's layers for the GPU; pays in stages of several minutes (on a CPU it never did)."""
    snapshot_minutes: float = Field(default=5.0, gt=0)
    """How often a stage under training is put aside in the store, so that a crash costs no more than this."""

    @model_validator(mode="after")
    def _compiles_for_gpus(self) -> "Resources":
        if self.compile and not self.gpus:
            raise ValueError("compile is for GPUs; give 'gpus' or leave it out")
        if self.sharded and self.workers < 2:
            raise ValueError("sharded divides a model among workers; give 'workers', 2 or more, or leave it out")
        if 0 < self.gpus < 1 and self.workers > 1:
            raise ValueError(
                f"{self.workers} workers with {self.gpus:g} GPUs each could meet on one GPU; give 'gpus: 1'"
            )
        return self


class Space(Strict):
    """A search-space file, every default written out."""

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,99}$")
    """Names the run's folder and the MLflow experiment."""
    question: str = ""
    """What the space asks, in a sentence; it heads the report."""
    data: str | None = None
    """A folder in XTREME's layout, ``hub``, or ``mirror:DIR`` for a folder of hub repositories. Built-in tasks need none."""
    tasks: tuple[OwnTask, ...] = ()
    """Your own tasks: paths of YAML files that describe them, or the descriptions themselves."""
    recipe: dict[str, Any]
    """A recipe in which any value may be a search domain."""
    search: Search = Search()
    replicates: Replicates = Replicates()
    margin: float = Field(default=1.0, gt=0, lt=100)
    """Points of difference that do not matter: a gain whose whole interval lies within it is called no larger than this."""
    allow_overlap: float | None = Field(default=None, ge=0, lt=1)
    """Largest share of a test set that rows which train or choose may repeat by their texts; null allows a tenth, and half
    among a benchmark's own files as they were published. What is above a hundredth is told in the report."""
    preselection: Preselection | None = None
    scheduler: Scheduler = Scheduler()
    zero_shot: ZeroShot = ZeroShot()
    budget: Budget = Budget()
    resources: Resources = Resources()
    output: str = "runs"
    """Folder of the runs' folders; the MLflow database is there too unless a server is named."""
    store: str | None = None
    """Where stages are kept, a folder or an ``s3://`` or ``gs://`` address; null means ``OUTPUT/store``."""
    keep: Keep = "winners"
    """Whose target checkpoints keep their weights after they were scored: the best on English dev of each model and target
    (winners), all, or none. Intermediate checkpoints are kept, and every record and score."""
    mlflow: str | None = None
    """MLflow tracking address; null means SQLite in OUTPUT."""
    trackers: tuple[str, ...] = ()
    """Trackers of plugins that follow the search beside MLflow."""

    @field_validator("trackers")
    @classmethod
    def _trackers_exist(cls, named: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(_known(name, (), "trackers") for name in named)

    @model_validator(mode="after")
    def _costs_are_known_at_the_end(self) -> "Space":
        if self.search.objective != "dev" and self.scheduler.name != "none":
            raise ValueError(
                "a trial that is stopped has no cost to compare; give scheduler 'none' with this objective"
            )
        return self

    @model_validator(mode="after")
    def _seeds_are_repeated_once(self) -> "Space":
        if self.replicates.seeds > 1 and self.search.finalists is not None:
            raise ValueError(
                "replicates and search.finalists both train recipes again with fresh seeds; give one of them (replicates: "
                "every cell's best; finalists: the best few of each target)"
            )
        if self.replicates.seeds > 1 and self.scheduler.name != "none" and self.scheduler.compare == "target":
            raise ValueError(
                "scheduler.compare 'target' leaves of every cell the seeds that won; with replicates give 'cell', or "
                "scheduler 'none'"
            )
        if self.replicates.seeds > 1 and _has_seed_domain(self.recipe.get("stages")):
            raise ValueError("replicates and a search domain of 'seed' are two ways to repeat seeds; give one of them")
        return self

    @model_validator(mode="after")
    def _preselection_has_a_list(self) -> "Space":
        if self.preselection is not None and self.search.algorithm != "grid":
            raise ValueError(
                f"preselection compares intermediates under the same hyperparameters; found algorithm "
                f"{self.search.algorithm!r}; allowed: grid"
            )
        if self.preselection is not None and self.resources.sharded:
            raise ValueError("preselection looks at the encoder on one worker; it does not go with 'sharded'")
        return self

    @model_validator(mode="after")
    def _name_is_free(self) -> "Space":
        if self.name == "store":
            raise ValueError("the name 'store' is the stage store's folder; choose another")
        return self

    @property
    def store_root(self) -> str:
        """Address of the stage store."""
        return self.store or f"{self.output}/store"


def as_recipe(tree: dict[str, Any]) -> Recipe:
    """A resolved tree as a typed recipe (raises pydantic's ValidationError)."""
    return Recipe.model_validate(tree)


def _known(name: str, built_in: tuple[str, ...], group: plugins.Group) -> str:
    """The name, if something is called so.

    Raises:
        ValueError: nothing is; the message lists the names there are.
    """
    allowed = (*built_in, *plugins.names(group))
    if name not in allowed:
        close = get_close_matches(name, allowed, n=1)
        hint = f"did you mean {close[0]!r}? " if close else ""
        raise ValueError(f"found {name!r}; {hint}allowed: {', '.join(allowed) or 'none, no package adds any'}")
    return name


def _has_seed_domain(tree: Any) -> bool:
    """Whether some stage's seed is to be searched."""
    if isinstance(tree, list):
        return any(map(_has_seed_domain, tree))
    if isinstance(tree, dict):
        return isinstance(tree.get("seed"), dict) or any(map(_has_seed_domain, tree.values()))
    return False
