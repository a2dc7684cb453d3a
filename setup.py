"""Build every ext/*.pyx into the package `nnlite_ext`; pyproject.toml has everything else.

Environment variables for developers; tests/tools/sanitize.sh runs the tests with the first two:
    NNLITE_BOUNDSCHECK=1   check every memoryview access
    NNLITE_SANITIZE=1      AddressSanitizer (GCC and Clang)
    NNLITE_PLAIN=1         the code for compilers without vectors too: the instruction set "plain"
"""

import glob
import os
import re
import sys

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

try:
    from setuptools.errors import CCompilerError, CompileError, ExecError, PlatformError
except ImportError:  # setuptools < 59
    from distutils.errors import CCompilerError, CompileError
    from distutils.errors import DistutilsExecError as ExecError
    from distutils.errors import DistutilsPlatformError as PlatformError

BOUNDSCHECK = os.environ.get("NNLITE_BOUNDSCHECK") == "1"
SANITIZE = os.environ.get("NNLITE_SANITIZE") == "1"
UNIX_FLAGS = ["-O3", "-fno-math-errno", "-fno-trapping-math", "-Wno-unknown-pragmas"]
PLAIN = os.environ.get("NNLITE_PLAIN") == "1"
SHARED = "nnlite_ext._cyutility"  # Cython's code for memoryviews, compiled once instead of in six modules
UNIX_LINK = []
if BOUNDSCHECK or SANITIZE:
    UNIX_FLAGS[0] = "-O1"  # the same memory accesses, in a third of the compile time
if "-g" not in os.environ.get("CFLAGS", "").split():
    UNIX_FLAGS += ["-g0"]  # Python's own flags ask for symbols, a third of the time
if SANITIZE:
    UNIX_FLAGS += ["-fsanitize=address", "-fno-omit-frame-pointer", "-g"]
    UNIX_LINK += ["-fsanitize=address"]


class BuildKernels(build_ext):
    """Build with the flags of this compiler, on all cores; without a compiler exit with a two-line error."""

    def finalize_options(self):
        super().finalize_options()
        self.parallel: int | None = self.parallel or os.cpu_count()

    def build_extensions(self):
        unix = self.compiler.compiler_type != "msvc"
        for extension in self.extensions:
            extension.extra_compile_args = UNIX_FLAGS if unix else ["/O2"]
            if unix and extension.name == SHARED:
                extension.extra_compile_args = [*UNIX_FLAGS, "-O1"]  # no loop over numbers
            extension.extra_link_args = (UNIX_LINK + ["-pthread"]) if unix else []
        self.built: list[str] = []
        try:
            super().build_extensions()
        except (CCompilerError, CompileError, ExecError, PlatformError) as problem:
            print(
                f"error: nnlite-rl needs a working C compiler to build its kernels ({problem})\n"
                "  install one: apt-get install gcc | xcode-select --install | Visual Studio Build Tools",
                file=sys.stderr,
            )
            raise SystemExit(1) from None

    def build_extension(self, extension):
        """Build one module, then say so: `pip install -v .` shows it."""
        super().build_extension(extension)
        self.built.append(extension.name)  # in several threads: append is one step
        print(f"compiled {len(self.built)} of {len(self.extensions)}: {extension.name}", flush=True)


def headers_of(path):
    """Return the headers and .pxi files in ext/ that a source includes, directly or through others."""
    with open(path, encoding="utf-8") as file:
        named = re.findall(r'(?:from|#?include|#define KERNELS) "([\w/-]+\.(?:h|pxi))"', file.read())
    found = {os.path.join("ext", name) for name in named}
    return found.union(*(headers_of(header) for header in found))


def make_extension(path, headers):
    """Describe one module. Kernels that divide their work into blocks use plain code for narrow ones."""
    plain = PLAIN or any(header.endswith("blocks.h") for header in headers)
    return Extension(
        "nnlite_ext." + os.path.basename(path)[:-4],
        [path],
        depends=sorted(headers),
        include_dirs=["ext"],
        define_macros=[("NNLITE_WITH_PLAIN", None)] if plain else [],
    )


def extensions():
    from Cython.Build import cythonize

    modules = [make_extension(path, headers_of(path)) for path in sorted(glob.glob("ext/*.pyx"))]
    shared = Extension(SHARED, ["ext/_cyutility.c"])
    directives = {
        "language_level": 3,
        "boundscheck": BOUNDSCHECK,
        "wraparound": False,
        "cdivision": True,
        "initializedcheck": BOUNDSCHECK,
    }
    return cythonize(
        [*modules, shared],
        compiler_directives=directives,
        force=BOUNDSCHECK or SANITIZE,
        quiet=True,
        shared_utility_qualified_name=SHARED,
    )


setup(ext_modules=extensions(), cmdclass={"build_ext": BuildKernels})
