"""The tools that are compared, each with the flags that serve it best. Standard library only.

A contender has a repository (or archive) of its own in a directory of its own, and is asked in turn to

* `pack`: bring the tree, as it is now, into the repository, as the next revision,
* `send`: bring what was packed to where another machine could fetch it (nothing for a repository, which is that place),
* `place`: put the last revision into a directory that is not there yet,
* `update`: bring a directory that has the revision before to the last one, where the tool can do that faster than anew.

Each answers with the commands to run; only these are timed.
"""

import os
import shutil
import subprocess
from pathlib import Path

import measure
import servers
import trees


class Contender:
    """What they have in common. `directory` is theirs; `tree` is what they pack; `durable` says whether every step ends with
    its result on the disk."""

    name = ""
    programs = ()  # what must be installed
    version = ()  # what to run to learn the version
    remark = ""  # what a reader has to know, below the table
    syncs_packed = False  # the tool itself sees to it that what it packed is on the disk
    syncs_placed = False
    sections = (".",)  # the parts of `directory` that would be shared; caches are no such parts
    environment = {}

    def __init__(self, directory, tree, durable, options):
        self.directory, self.tree, self.durable, self.options = directory, tree, durable, options
        self.revision = 0
        self.log = directory.with_suffix(".log")

    @classmethod
    def missing(cls, options):
        """What is not installed, if anything."""
        return [program for program in cls.programs if not shutil.which(program)]

    def begin(self):
        """Makes an empty repository."""

    def end(self):
        """Removes it."""
        trees.remove(self.directory)

    def pack(self):
        raise NotImplementedError

    def send(self):
        return []

    def place(self, destination):
        raise NotImplementedError

    def update(self, destination):
        """The commands, or `None` if the tool does no better than `place`."""

    def edited(self, names):
        """These files of the tree were edited since the last `pack`."""

    def unplace(self, destination):
        """Takes away what `place` put there."""
        trees.remove(destination)

    def forget_fetched(self):
        """Makes the placing side as it is on a machine that never had a revision."""

    def stored(self):
        """The files that are shared, see `measure.files`."""
        return measure.files(*(self.directory / section for section in self.sections))

    def processor_time(self):
        """Seconds (user, system) used by a server so far."""
        return 0.0, 0.0

    def setup(self, *argv, **more):
        """Runs a command that is not timed."""
        return measure.run(argv, self.log, env=self.environment, **more)


class Tar(Contender):
    name = "tar + zstd -3 -T2"
    programs = ("tar", "zstd")
    version = ("zstd", "--version")
    remark = "tar, mksquashfs: sending is a copy of the archive to another directory; tar unpacks it from there, mksquashfs copies it back."

    def begin(self):
        self.directory.mkdir()
        (self.directory / "sent").mkdir()
        self.archive = self.directory / "bundle"

    sections = ("sent",)

    def pack(self):
        return [["tar", "--sort=name", "-I", "zstd -q -3 -T2", "-C", self.tree, "-cf", self.archive, "."]]

    def send(self):
        return [["cp", "--reflink=never", self.archive, self.directory / "sent/bundle"]]

    def place(self, destination):
        destination.mkdir()
        return [["tar", "-I", "zstd -q", "-C", destination, "-xf", self.directory / "sent/bundle"]]


class Squashfs(Tar):
    name = "mksquashfs, zstd 3 (XAR)"
    programs = ("mksquashfs", "unsquashfs")
    version = ("mksquashfs", "-version")
    remark = "mksquashfs: placing is a copy of the image and `unsquashfs`."

    def pack(self):
        flags = "-comp zstd -Xcompression-level 3 -noappend -no-xattrs -no-progress -quiet"
        trees.remove(self.archive)
        return [["mksquashfs", self.tree, self.archive, *flags.split()]]

    def place(self, destination):
        here = self.directory / "fetched"
        return [
            ["cp", "--reflink=never", self.directory / "sent/bundle", here],
            ["unsquashfs", "-quiet", "-no-progress", "-dest", destination, here],
        ]


class MountedSquashfs(Squashfs):
    name = "the same, mounted"
    programs = ("mksquashfs", "mount", "umount")
    remark = "Mounted, placing is a copy of the image and `mount`: each read then decompresses, which is not counted."

    @classmethod
    def missing(cls, options):
        return super().missing(options) or ([] if os.geteuid() == 0 else ["the right to mount"])

    def place(self, destination):
        destination.mkdir()
        here = self.directory / f"fetched-{destination.name}"
        copy = ["cp", "--reflink=never", self.directory / "sent/bundle", here]
        return [copy, ["mount", "-o", "loop,ro", here, destination]]

    def unplace(self, destination):
        if os.path.ismount(destination):
            subprocess.run(["umount", destination], check=True)
        trees.remove(self.directory / f"fetched-{destination.name}")
        super().unplace(destination)


class Casync(Contender):
    name = "casync, zstd"
    programs = ("casync",)
    version = ("casync", "--version")
    remark = (
        "casync: without `--cache`, with which a second archive cannot be extracted (\"Bad message\"); placed anew without"
        " seeds, which is faster here than with the tree that is there as a seed."
    )
    flags = ("--with=unix", "--compression=zstd")

    def begin(self):
        self.directory.mkdir()

    def pack(self):
        self.revision += 1
        return [["casync", "make", f"--store={self._chunks()}", *self.flags, self._index(), self.tree]]

    def place(self, destination):
        destination.mkdir()
        return [["casync", "extract", f"--store={self._chunks()}", *self.flags, self._index(), destination]]

    def _chunks(self):
        return self.directory / "chunks"

    def _index(self):
        return self.directory / f"{self.revision}.caidx"


class Ostree(Contender):
    name = "ostree, bare-user"
    programs = ("ostree",)
    version = ("ostree", "--version")
    remark = "ostree: placed with hard links (`checkout -U -H`)."
    syncs_packed = True

    def begin(self):
        self.directory.mkdir()
        self.repository = self.directory / "repo"
        self.setup("ostree", "init", f"--repo={self.repository}", "--mode=bare-user")

    sections = ("repo/objects", "repo/refs")

    def pack(self):
        return [self._commit(self.tree)]

    def _commit(self, tree, *more):
        fsync = f"--fsync={'true' if self.durable else 'false'}"
        flags = ["--branch=tree", "--subject=", "--no-bindings", "--no-xattrs", fsync, *more]
        return ["ostree", "commit", f"--repo={self.repository}", *flags, f"--tree=dir={tree}"]

    def place(self, destination):
        return [["ostree", "checkout", f"--repo={self.repository}", "-U", "-H", "tree", destination]]


class OstreeLinked(Ostree):
    name = "the same, from a checkout (-I)"
    remark = (
        "ostree -I: commits a checkout whose files are hard links into the repository, into which the changed files"
        " were put beforehand; finding and putting them there is not counted."
    )

    def begin(self):
        super().begin()
        self.checkout = self.directory / "checkout"

    def pack(self):
        if self.checkout.exists():
            return [self._commit(self.checkout, "--devino-canonical")]
        return super().pack()

    def edited(self, names):
        if not self.checkout.exists():
            self.setup("ostree", "checkout", f"--repo={self.repository}", "-U", "-H", "tree", self.checkout)
        trees.copy_files(names, self.tree, self.checkout)


class Restic(Contender):
    name = "restic, with parent"
    programs = ("restic",)
    version = ("restic", "version")
    remark = "restic, borg: write to the disk what they packed (fsync), always."
    syncs_packed = True
    sections = ("repo",)

    def begin(self):
        self.directory.mkdir()
        self.environment = {"RESTIC_PASSWORD": "bench", "RESTIC_CACHE_DIR": str(self.directory / "cache")}
        self.command = ["restic", "--quiet", "--repo", self.directory / "repo"]
        self.setup(*self.command, "init", "--repository-version", "2")

    def pack(self):
        # The parent is found by itself: the last snapshot of the same path.
        return [[*self.command, "backup", self.tree]]

    def place(self, destination):
        # It restores below the whole path of what was backed up.
        return [[*self.command, "restore", "latest", "--target", destination]]


class Borg(Contender):
    name = "borg, zstd 3"
    programs = ("borg",)
    version = ("borg", "--version")
    syncs_packed = True
    sections = ("repo",)

    def begin(self):
        self.directory.mkdir()
        self.repository = self.directory / "repo"
        self.environment = {
            "BORG_BASE_DIR": str(self.directory / "base"),
            "BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK": "yes",
        }
        self.setup("borg", "init", "--encryption=none", self.repository)

    def pack(self):
        self.revision += 1
        flags = "--compression zstd,3 --noxattrs --noacls --noflags".split()
        return [["borg", "create", *flags, f"{self.repository}::{self.revision}", self.tree]]

    def place(self, destination):
        destination.mkdir()
        # Relative to the directory that it runs in, below the whole path of what was packed.
        extract = ["borg", "extract", f"{self.repository}::{self.revision}"]
        return [["env", "-C", destination, *extract]]


class Secateur(Contender):
    """`caf push` into a store in a directory, `caf pull` out of it."""

    name = "secateur caf, local store"
    syncs_packed = syncs_placed = True
    sections = tuple(f"store/{part}" for part in ("cas", "cas-x", "ac", "refs"))

    @classmethod
    def missing(cls, options):
        asked = [options.secateur, "caf", "--help"]
        try:
            known = subprocess.run(asked, capture_output=True, stdin=subprocess.DEVNULL, check=False).returncode == 0
        except OSError:
            known = False
        return [] if known else [f"{options.secateur} caf"]

    def begin(self):
        self.directory.mkdir()

    def pack(self):
        self.revision += 1
        return [self._caf("store", "push", self.tree, self._bundle())]

    def place(self, destination):
        return [self._caf("store", "pull", self._bundle(), destination)]

    def update(self, destination):
        return self.place(destination)

    def _bundle(self):
        return f"bench@{self.revision}"

    def _caf(self, store, verb, *arguments):
        durability = "batch" if self.durable else "none"
        flags = ["--store", self.directory / store, "--durability", durability, *self.remote()]
        return [self.options.secateur, "--no-cache", "caf", verb, *arguments, *flags]

    def remote(self):
        return []


class SecateurServed(Secateur):
    """The same through `caf serve` on this machine: one store that pushes, one of the server, one that pulls."""

    name = "secateur caf, through caf serve"
    remark = "Through caf serve: the processor time of the server is included, and placing on an empty machine fetches everything."
    sections = tuple(f"served/{part}" for part in ("cas", "cas-x", "ac", "refs"))

    def begin(self):
        super().begin()
        self.port = servers.free_port()
        durability = "batch" if self.durable else "none"
        address = f"127.0.0.1:{self.port}"
        serve = ["serve", "--store", self.directory / "served", "--address", address, "--durability", durability]
        argv = [self.options.secateur, "--no-cache", "caf", *serve]
        self.server = servers.Server(argv, self.port, self.log.with_suffix(".server.log"))
        self.server.__enter__()

    def end(self):
        self.server.__exit__()
        super().end()

    def place(self, destination):
        return [self._caf("fetched", "pull", self._bundle(), destination)]

    def forget_fetched(self):
        trees.remove(self.directory / "fetched")

    def remote(self):
        return ["--remote", f"grpc://127.0.0.1:{self.port}"]

    def processor_time(self):
        return self.server.processor_time()


ALL = (Tar, Squashfs, MountedSquashfs, Casync, Ostree, OstreeLinked, Restic, Borg, Secateur, SecateurServed)


def placed_tree(contender, destination):
    """Where in the destination the tree is: some tools restore it below its whole path."""
    if isinstance(contender, (Restic, Borg)):
        return destination / Path(contender.tree).relative_to("/")
    return destination
