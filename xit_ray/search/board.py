"""The board: work that trials have posted, and the crews that do it. Plain bookkeeping; the foreman keeps one."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class News:
    """What a trial has not been told of its work yet."""

    reports: list[dict[str, Any]]
    """English dev of the target stage, one an evaluation."""
    ended: bool
    error: str | None
    """Why it failed, where it did."""


@dataclass
class _Post:
    job: dict[str, Any]
    crew: str | None = None
    reports: list[dict[str, Any]] = field(default_factory=list)
    ended: bool = False
    error: str | None = None


class Board:
    """Posts in the order they came, by the trial that holds them; and every crew with the post it works on, if any."""

    def __init__(self) -> None:
        self.posts: dict[str, _Post] = {}
        self.crews: dict[str, str | None] = {}
        self.begun: set[str] = set()
        """Crews that have asked for work."""
        self.recruited = 0

    def post(self, holder: str, job: dict[str, Any]) -> int:
        """Put up a trial's work, unless it is there and still to be ended; how many reports it has."""
        post = self.posts.get(holder)
        if post is None or post.ended:
            post = self.posts[holder] = _Post(job)
        return len(post.reports)

    def drop(self, holder: str) -> None:
        """Take a trial's work down."""
        self.posts.pop(holder, None)

    def wanted(self, holder: str) -> bool:
        """Whether a trial still waits for its work."""
        return holder in self.posts

    def at_work(self, holder: str) -> bool:
        """Whether a crew works for a trial."""
        post = self.posts.get(holder)
        return post is not None and post.crew is not None and not post.ended

    def has_news(self, holder: str, seen: int) -> bool:
        """Whether ``news`` would tell anything."""
        news = self.news(holder, seen)
        return news is None or news.ended or bool(news.reports)

    def news(self, holder: str, seen: int) -> News | None:
        """What came after the reports a trial has seen; None if its work was taken down."""
        post = self.posts.get(holder)
        return News(post.reports[seen:], post.ended, post.error) if post is not None else None

    def report(self, holder: str, metrics: dict[str, Any]) -> None:
        """Add a report for the trial."""
        if holder in self.posts:
            self.posts[holder].reports.append(metrics)

    def short(self, places: int) -> bool:
        """Whether there is work for one more crew, and a place for it."""
        idle = sum(holder is None for holder in self.crews.values())
        return len(self._waiting()) > idle and len(self.crews) < places

    def recruit(self) -> str:
        """Count in a new crew, and name it."""
        self.recruited += 1
        name = f"crew-{self.recruited}"
        self.crews[name] = None
        return name

    def take(self, crew: str) -> dict[str, Any] | None:
        """The oldest work that nobody does. A crew that Ray Train started again within its run, because its machine was taken
        away, is given the work it had."""
        if crew not in self.crews:
            return None
        self.begun.add(crew)
        had = self.posts.get(self.crews[crew] or "")
        if had is not None and had.crew == crew and not had.ended:
            return had.job
        waiting = self._waiting()
        if not waiting:
            return None
        self.crews[crew] = waiting[0]
        post = self.posts[waiting[0]]
        post.crew = crew
        return post.job

    def finish(self, crew: str, error: str | None) -> str | None:
        """End the work of a crew; returns the trial whose it was, if it is still wanted."""
        holder = self.crews.get(crew)
        if crew in self.crews:
            self.crews[crew] = None
        post = self.posts.get(holder) if holder is not None else None
        if post is None or post.crew != crew:
            return None
        post.ended, post.error = True, error
        return holder

    def leave(self, crew: str, error: str | None) -> str | None:
        """Count a crew out. One that could not start fails the oldest work that waits: Tune counts how often that may
        happen."""
        if error is not None and crew not in self.begun:
            self.take(crew)
        holder = self.finish(crew, error)
        self.crews.pop(crew, None)
        return holder

    def disband(self) -> None:
        """Count all crews out, through no fault of theirs: their work waits for others."""
        for post in self.posts.values():
            if not post.ended:
                post.crew = None
        self.crews.clear()

    def _waiting(self) -> list[str]:
        return [holder for holder, post in self.posts.items() if post.crew is None and not post.ended]
