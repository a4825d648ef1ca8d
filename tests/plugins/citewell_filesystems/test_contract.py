import shutil
import zipfile
from uuid import uuid4

import boto3
import fsspec
import pytest
from moto.server import ThreadedMotoServer

from citewell.testing import SourceContract

KEYS = {"aws_access_key_id": "one", "aws_secret_access_key": "other", "region_name": "us-east-1"}


@pytest.fixture(scope="module")
def endpoint():
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


class TestS3(SourceContract):
    name = "filesystem"

    @pytest.fixture(autouse=True)
    def bucket(self, endpoint):
        self.url = endpoint
        self.name_of_bucket = f"docs-{uuid4().hex}"
        self.s3 = boto3.client("s3", endpoint_url=self.url, **KEYS)
        self.s3.create_bucket(Bucket=self.name_of_bucket)
        yield
        self.s3.close()

    def config(self, root):
        return {
            "url": f"s3://{self.name_of_bucket}/below",
            "options": {"endpoint_url": self.url, "region": "us-east-1"},
            "secrets": {"key": "one", "secret": "other"},
        }

    def write(self, root, files):
        for name, text in files.items():
            self.s3.put_object(Bucket=self.name_of_bucket, Key=f"below/{name}", Body=text.encode())

    def remove(self, root, name):
        self.s3.delete_object(Bucket=self.name_of_bucket, Key=f"below/{name}")

    def spoil(self, root):
        self.remove(root, "a.md")
        self.s3.delete_bucket(Bucket=self.name_of_bucket)


class TestMemory(SourceContract):
    name = "filesystem"

    def config(self, root):
        return {"url": f"memory:/{root}"}

    def prepare(self, root):
        super().prepare(root)
        self.files = fsspec.filesystem("memory")
        self.files.makedirs(str(root))

    def write(self, root, files):
        for name, text in files.items():
            self.files.pipe_file(f"{root}/{name}", text.encode())

    def remove(self, root, name):
        self.files.rm(f"{root}/{name}")

    def spoil(self, root):
        self.files.rm(str(root), recursive=True)


class TestZip(SourceContract):
    name = "filesystem"

    def config(self, root):
        return {"url": f"zip::file://{root}.zip"}

    def prepare(self, root):
        super().prepare(root)
        self.write(root, {})

    def write(self, root, files):
        super().write(root, files)
        with zipfile.ZipFile(f"{root}.zip", "w") as archive:
            for path in sorted(root.rglob("*.md")):
                archive.write(path, path.relative_to(root))

    def remove(self, root, name):
        super().remove(root, name)
        self.write(root, {})

    def spoil(self, root):
        root.with_name(f"{root.name}.zip").write_bytes(b"PK, but no archive")
        shutil.rmtree(root)
