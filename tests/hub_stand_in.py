"""A stand-in for the Hugging Face Hub: what publishing and reading a model asks of its API, on a port of this machine.

It answers as the Hub does to huggingface_hub without Xet (HF_HUB_DISABLE_XET=1): Xet, by which large files go to and
from the Hub itself, needs a content store of its own.
"""

import base64
import fnmatch
import hashlib
import json
import re
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

LARGE = ("*.safetensors", "*.onnx")  # what .gitattributes gives to LFS in a new repository
REPOSITORY = r"([\w.-]+/[\w.-]+)"


class Refused(Exception):
    """An answer that is no success."""

    def __init__(self, status: int, message: str, code: str = "", **content: str):
        super().__init__(message)
        self.status = status
        self.content = {"error": message, **content}
        self.headers = {"X-Error-Message": message} | ({"X-Error-Code": code} if code else {})


@dataclass
class Repository:
    """Commits, each a whole tree, and the names of some of them."""

    private: bool = False
    commits: dict[str, dict[str, bytes]] = field(default_factory=dict)
    references: dict[str, str] = field(default_factory=dict)

    def commit(self, tree: dict[str, bytes]) -> str:
        names = json.dumps([len(self.commits), *((name, git_hash(content)) for name, content in tree.items())])
        commit = hashlib.sha1(names.encode()).hexdigest()
        self.commits[commit] = tree
        self.references["main"] = commit
        return commit

    def find(self, revision: str) -> str:
        commit = self.references.get(revision, revision)
        if commit not in self.commits:
            raise Refused(404, f"Invalid rev id: {revision}", "RevisionNotFound")
        return commit


class HubStandIn:
    """Holds repositories and large files in memory.

    Args:
        writers: the namespaces that each token may write to.
    """

    def __init__(self, writers: dict[str, set[str]]):
        self.writers = writers
        self.repositories: dict[str, Repository] = {}
        self.stored: dict[str, bytes] = {}
        self.requests: list[str] = []
        self.faults: dict[str, Refused] = {}  # what a request, "GET /path", is answered with whatever the state
        self.url = ""

    def add(self, name: str, private: bool = False) -> Repository:
        """Makes a repository as the Hub does, with a first commit."""
        self.repositories[name] = Repository(private)
        self.repositories[name].commit({".gitattributes": b"*.safetensors filter=lfs\n"})
        return self.repositories[name]

    def answer(self, method: str, path: str, token: str | None, body: bytes) -> tuple[dict, bytes]:
        self.requests.append(f"{method} {path}")
        if fault := self.faults.get(self.requests[-1]):
            raise fault
        if token is not None and token not in self.writers:
            raise Refused(401, "Invalid credentials in Authorization header")
        for methods, pattern, handle in ROUTES:
            found = re.fullmatch(pattern, path)
            if found and method in methods:
                answer = handle(self, token, body, *found.groups())
                return answer if isinstance(answer, tuple) else ({}, json.dumps(answer).encode())
        raise Refused(404, f"{method} {path} is not part of this stand-in")

    def may_write(self, token: str | None, name: str) -> bool:
        return name.split("/")[0] in self.writers.get(token, ())

    def readable(self, token: str | None, name: str) -> Repository:
        repository = self.repositories.get(name)
        if repository is None or (repository.private and not self.may_write(token, name)):
            raise Refused(404 if token else 401, "Repository not found", "RepoNotFound")
        return repository

    def writable(self, token: str | None, name: str) -> Repository:
        repository = self.readable(token, name)
        if not self.may_write(token, name):
            raise Refused(403, "Forbidden: pass `create_pr=1` as a query parameter to create a Pull Request")
        return repository

    def create(self, token, body):
        asked = json.loads(body)
        name = f"{asked['organization']}/{asked['name']}"
        if not self.may_write(token, name):
            raise Refused(
                403, f'You don\'t have the rights to create a model under the namespace "{asked["organization"]}"'
            )
        if name in self.repositories:
            raise Refused(409, "You already created this model repo", url=f"{self.url}/{name}")
        self.add(name, asked.get("visibility") == "private" or asked.get("private", False))
        return {"url": f"{self.url}/{name}"}

    def validate_card(self, token, body):
        if not json.loads(body)["content"].startswith("---\n"):
            raise Refused(400, "empty or missing yaml metadata in repo card")
        return {"errors": [], "warnings": []}

    def info(self, token, body, name, revision):
        repository = self.readable(token, name)
        commit = repository.find(revision or "main")
        files = [{"rfilename": path} for path in repository.commits[commit]]
        return {"id": name, "sha": commit, "private": repository.private, "siblings": files}

    def tree(self, token, body, name, revision, folder):
        repository = self.readable(token, name)
        files = repository.commits[repository.find(revision)].items()
        found = [describe(path, content) for path, content in files if path.startswith(f"{folder}/" if folder else "")]
        if not found:
            raise Refused(404, f"{folder} does not exist", "EntryNotFound")
        return found

    def preupload(self, token, body, name, revision):
        repository = self.writable(token, name)
        there = repository.commits[repository.find(revision)]
        return {
            "files": [
                {
                    "path": file["path"],
                    "uploadMode": "lfs" if is_large(file["path"]) else "regular",
                    "shouldIgnore": False,
                    "oid": object_id(file["path"], there[file["path"]]) if file["path"] in there else None,
                }
                for file in json.loads(body)["files"]
            ]
        }

    def lfs_batch(self, token, body, name):
        self.writable(token, name)
        return {
            "transfer": "basic",
            "objects": [
                {**file, "actions": {"upload": {"href": f"{self.url}/lfs/{file['oid']}"}}}
                if file["oid"] not in self.stored
                else file
                for file in json.loads(body)["objects"]
            ],
        }

    def store(self, token, body, oid):
        if hashlib.sha256(body).hexdigest() != oid:
            raise Refused(400, "content does not match its hash")
        self.stored[oid] = body
        return {}

    def commit(self, token, body, name, revision):
        repository = self.writable(token, name)
        header, *operations = [json.loads(line) for line in body.splitlines()]
        parent = header["value"].get("parentCommit")
        if parent not in (None, repository.find(revision)):
            raise Refused(412, "A commit has happened since. Please refresh and try again.")
        tree = dict(repository.commits[repository.find(revision)])
        for operation in operations:
            value = operation["value"]
            match operation["key"]:
                case "file":
                    tree[value["path"]] = base64.b64decode(value["content"])
                case "lfsFile":
                    tree[value["path"]] = self.stored[value["oid"]]
                case "deletedFile":
                    del tree[value["path"]]
        commit = repository.commit(tree)
        return {"success": True, "commitOid": commit, "commitUrl": f"{self.url}/{name}/commit/{commit}"}

    def resolve(self, token, body, name, revision, path):
        repository = self.readable(token, name)
        commit = repository.find(revision)
        if path not in repository.commits[commit]:
            raise Refused(404, "Entry not found", "EntryNotFound")
        content = repository.commits[commit][path]
        return {"X-Repo-Commit": commit, "ETag": f'"{object_id(path, content)}"'}, content


ROUTES = [
    (("POST",), "/api/repos/create", HubStandIn.create),
    (("POST",), "/api/validate-yaml", HubStandIn.validate_card),
    (("GET",), f"/api/models/{REPOSITORY}(?:/revision/(.+))?", HubStandIn.info),
    (("GET",), f"/api/models/{REPOSITORY}/tree/([^/]+)(?:/(.+))?", HubStandIn.tree),
    (("POST",), f"/api/models/{REPOSITORY}/preupload/(.+)", HubStandIn.preupload),
    (("POST",), f"/{REPOSITORY}\\.git/info/lfs/objects/batch", HubStandIn.lfs_batch),
    (("PUT",), "/lfs/([0-9a-f]{64})", HubStandIn.store),
    (("POST",), f"/api/models/{REPOSITORY}/commit/(.+)", HubStandIn.commit),
    (("GET", "HEAD"), f"/{REPOSITORY}/resolve/([^/]+)/(.+)", HubStandIn.resolve),
]


def is_large(path: str) -> bool:
    return any(fnmatch.fnmatch(path, pattern) for pattern in LARGE)


def git_hash(content: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


def object_id(path: str, content: bytes) -> str:
    return hashlib.sha256(content).hexdigest() if is_large(path) else git_hash(content)


def describe(path: str, content: bytes) -> dict:
    described = {"type": "file", "path": path, "size": len(content), "oid": git_hash(content)}
    if is_large(path):
        described["lfs"] = {"oid": object_id(path, content), "size": len(content), "pointerSize": 134}
    return described


class Handler(BaseHTTPRequestHandler):
    def handle_request(self) -> None:
        token = (self.headers["Authorization"] or "").removeprefix("Bearer ") or None
        path, body = self.path.split("?")[0], self.read_body()
        try:
            status, (headers, content) = 200, self.server.hub.answer(self.command, path, token, body)
        except Refused as refused:
            status, headers, content = refused.status, refused.headers, json.dumps(refused.content).encode()
        self.send_response(status)
        for name, value in {"Content-Length": str(len(content)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    do_GET = do_HEAD = do_POST = do_PUT = handle_request

    def read_body(self) -> bytes:
        if self.headers["Transfer-Encoding"] != "chunked":
            return self.rfile.read(int(self.headers["Content-Length"] or 0))
        body = b""
        while size := int(self.rfile.readline(), 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def log_message(self, *args) -> None:
        pass


def serve(hub: HubStandIn) -> ThreadingHTTPServer:
    """Returns a server that is not running yet; its address is in ``hub.url``."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.hub = hub
    hub.url = f"http://127.0.0.1:{server.server_port}"
    return server
