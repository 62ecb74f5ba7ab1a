"""S3 Vectors: indexes, the nearest vectors, metadata filters, and what is refused."""

import random

import pytest

from people import Person, refusal


@pytest.fixture(scope="module")
def s3vectors(local_cloud):
    return local_cloud.client("s3vectors")


def new_index(s3vectors, bucket):
    """A cosine index of two dimensions in a bucket of its own, as the parameters that name it."""
    s3vectors.create_vector_bucket(vectorBucketName=bucket)
    named = {"vectorBucketName": bucket, "indexName": "films"}
    s3vectors.create_index(
        **named, dataType="float32", dimension=2, distanceMetric="cosine",
        metadataConfiguration={"nonFilterableMetadataKeys": ["plot"]},
    )  # fmt: skip
    return named


@pytest.fixture
def index(s3vectors):
    return new_index(s3vectors, f"films-{random.getrandbits(64)}")


FILMS = {
    "east": ([1, 0], {"genre": "drama", "year": 1950, "plot": "x" * 3000}),
    "north-east": ([1, 1], {"genre": ["drama", "comedy"], "year": 1990}),
    "north": ([0, 2], {"genre": "comedy", "year": 2020, "seen": True}),
    "west": ([-1, 0], {"year": 2021}),
}


def put_films(s3vectors, index):
    vectors = [
        {"key": key, "data": {"float32": data}, "metadata": metadata}
        for key, (data, metadata) in FILMS.items()
    ]
    s3vectors.put_vectors(**index, vectors=vectors)


def found(s3vectors, index, query=(1, 0), count=10, **options):
    answer = s3vectors.query_vectors(
        **index, queryVector={"float32": list(query)}, topK=count, **options
    )
    return [vector["key"] for vector in answer["vectors"]]


def test_a_query_finds_the_nearest_first(s3vectors, index):
    put_films(s3vectors, index)
    answer = s3vectors.query_vectors(
        **index, queryVector={"float32": [3, 0]}, topK=3, returnDistance=True
    )
    assert [vector["key"] for vector in answer["vectors"]] == ["east", "north-east", "north"]
    distances = [vector["distance"] for vector in answer["vectors"]]
    assert distances == pytest.approx([0, 1 - 2**-0.5, 1], abs=1e-6)
    assert answer["distanceMetric"] == "cosine"
    assert "metadata" not in answer["vectors"][0]


def test_euclidean_distance_counts_lengths(s3vectors, index):
    named = {**index, "indexName": "euclidean"}
    s3vectors.create_index(**named, dataType="float32", dimension=2, distanceMetric="euclidean")
    put_films_without_plots = [
        {"key": key, "data": {"float32": data}} for key, (data, _) in FILMS.items()
    ]
    s3vectors.put_vectors(**named, vectors=put_films_without_plots)
    answer = s3vectors.query_vectors(
        **named, queryVector={"float32": [0, 1]}, topK=2, returnDistance=True
    )
    shown = {vector["key"]: vector["distance"] for vector in answer["vectors"]}
    assert shown == pytest.approx({"north": 1, "north-east": 1})


@pytest.fixture(scope="module")
def films(s3vectors):
    index = new_index(s3vectors, "all-films")
    put_films(s3vectors, index)
    return index


@pytest.mark.parametrize(
    ("given", "keys"),
    [
        ({"genre": "drama"}, ["east", "north-east"]),
        ({"genre": {"$eq": "comedy"}}, ["north-east", "north"]),
        ({"year": {"$gt": 1950, "$lte": 2020}}, ["north-east", "north"]),
        ({"year": {"$gte": 2020}}, ["north", "west"]),
        ({"year": {"$in": [1950, 2021]}}, ["east", "west"]),
        ({"year": {"$nin": [1950, 2021]}}, ["north-east", "north"]),
        ({"genre": {"$exists": False}}, ["west"]),
        ({"seen": True}, ["north"]),
        ({"seen": 1}, []),
        ({"$or": [{"year": {"$lt": 1960}}, {"seen": True}]}, ["east", "north"]),
        ({"$and": [{"genre": "comedy"}, {"year": {"$ne": 2020}}]}, ["north-east"]),
        ({"genre": "drama", "year": 1990}, ["north-east"]),
    ],
    ids=str,
)
def test_filters(s3vectors, films, given, keys):
    assert sorted(found(s3vectors, films, filter=given)) == sorted(keys)


def test_a_filter_comes_before_the_search(s3vectors, index):
    put_films(s3vectors, index)
    assert found(s3vectors, index, count=1, filter={"year": 2021}) == ["west"]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"plot": "x"}, "non-filterable"),
        ({"year": {"$about": 1990}}, "$about"),
        ({"year": {"$gt": "1990"}}, "$gt takes a number"),
        ({"year": {"$in": []}}, "$in takes a non-empty array"),
        ({"$or": []}, "$or takes"),
        ({}, "at least one key"),
    ],
    ids=str,
)
def test_a_filter_that_means_nothing_is_refused(s3vectors, index, given, words):
    code, message, status = refusal(
        s3vectors.query_vectors, **index, queryVector={"float32": [1, 0]}, topK=1, filter=given
    )
    assert (code, status) == ("ValidationException", 400)
    assert words in message


def test_vectors_are_replaced_read_and_deleted(s3vectors, index):
    put_films(s3vectors, index)
    changed = {"key": "east", "data": {"float32": [0, -1]}, "metadata": {"year": 1}}
    s3vectors.put_vectors(**index, vectors=[changed])
    s3vectors.delete_vectors(**index, keys=["north-east", "never-there"])
    shown = s3vectors.get_vectors(
        **index, keys=["east", "north-east", "north"], returnData=True, returnMetadata=True
    )["vectors"]
    assert shown[0] == changed
    assert [vector["key"] for vector in shown] == ["east", "north"]
    assert set(found(s3vectors, index)) == {"east", "north", "west"}


def test_a_list_has_pages_and_segments(s3vectors, index):
    vectors = [{"key": f"k{n:03}", "data": {"float32": [1, n]}} for n in range(25)]
    s3vectors.put_vectors(**index, vectors=vectors)
    pages = s3vectors.get_paginator("list_vectors").paginate(
        **index, PaginationConfig={"PageSize": 10}
    )
    sizes = [len(page["vectors"]) for page in pages]
    assert sizes == [10, 10, 5]
    segments = [
        {
            vector["key"]
            for vector in s3vectors.list_vectors(**index, segmentCount=3, segmentIndex=n)["vectors"]
        }
        for n in range(3)
    ]
    assert sum(map(len, segments)) == 25
    assert set.union(*segments) == {vector["key"] for vector in vectors}


@pytest.mark.parametrize(
    ("vector", "words"),
    [
        ({"data": {"float32": [1, 2, 3]}}, "vector must have length 2, but has length 3"),
        ({"data": {"float32": [0, 0]}}, "zeros"),
        ({"data": {"float32": [1e39, 0]}}, "vector values must be finite float32 numbers"),
        (
            {"data": {"float32": [1, 2]}, "metadata": {"text": "x" * 2048}},
            "Filterable metadata must have at most 2048 bytes",
        ),
        (
            {"data": {"float32": [1, 2]}, "metadata": {str(n): n for n in range(51)}},
            "Metadata object must have at most 50 keys",
        ),
    ],
    ids=["dimension", "zeros", "float64", "bytes", "keys"],
)
def test_a_wrong_vector_is_refused_and_none_is_put(s3vectors, index, vector, words):
    right = {"key": "right", "data": {"float32": [1, 1]}}
    code, message, _ = refusal(
        s3vectors.put_vectors, **index, vectors=[right, {"key": "wrong", **vector}]
    )
    assert code == "ValidationException"
    assert message.startswith("Invalid record for key 'wrong': ")
    assert words in message
    assert s3vectors.list_vectors(**index)["vectors"] == []


def test_a_query_of_another_length_and_too_many_results_are_refused(s3vectors, index):
    ask = {**index, "queryVector": {"float32": [1, 0]}, "topK": 101}
    assert "topK" in refusal(s3vectors.query_vectors, **ask)[1]
    ask = {**index, "queryVector": {"float32": [1]}, "topK": 1}
    assert "length 2" in refusal(s3vectors.query_vectors, **ask)[1]


def test_what_is_not_there_is_named(s3vectors, index):
    missing = {**index, "indexName": "other"}
    assert refusal(s3vectors.get_index, **missing) == (
        "NotFoundException", "The specified index could not be found", 404,
    )  # fmt: skip
    bucket = {"vectorBucketName": index["vectorBucketName"]}
    assert refusal(s3vectors.delete_vector_bucket, **bucket)[0] == "ConflictException"
    assert refusal(s3vectors.create_vector_bucket, **bucket)[2] == 409
    assert refusal(s3vectors.create_vector_bucket, vectorBucketName="No_Bucket")[1] == (
        "Invalid vector bucket name"
    )
    s3vectors.delete_index(**index)
    s3vectors.delete_vector_bucket(**bucket)
    assert refusal(s3vectors.get_vector_bucket, **bucket)[2] == 404


def test_an_index_tells_how_it_was_made(s3vectors, index):
    shown = s3vectors.get_index(**index)["index"]
    arn = f"arn:aws:s3vectors:us-east-1:000000000000:bucket/{index['vectorBucketName']}/index/films"
    assert (shown["indexArn"], shown["dimension"], shown["distanceMetric"]) == (arn, 2, "cosine")
    assert shown["metadataConfiguration"] == {"nonFilterableMetadataKeys": ["plot"]}
    s3vectors.tag_resource(resourceArn=arn, tags={"stage": "05"})
    assert s3vectors.list_tags_for_resource(resourceArn=arn)["tags"] == {"stage": "05"}
    s3vectors.untag_resource(resourceArn=arn, tagKeys=["stage"])
    assert s3vectors.list_tags_for_resource(resourceArn=arn)["tags"] == {}


def test_buckets_and_indexes_are_listed_by_prefix_and_page(s3vectors):
    bucket = f"shelf-{random.getrandbits(64)}"
    new_index(s3vectors, bucket)
    listed = s3vectors.list_vector_buckets(prefix=bucket)["vectorBuckets"]
    assert [each["vectorBucketName"] for each in listed] == [bucket]
    made = {"dataType": "float32", "dimension": 3, "distanceMetric": "euclidean"}
    for name in ("books", "boxes"):
        s3vectors.create_index(vectorBucketName=bucket, indexName=name, **made)

    def names(**asked):
        answer = s3vectors.list_indexes(vectorBucketName=bucket, **asked)
        return [each["indexName"] for each in answer["indexes"]], answer.get("nextToken")

    assert names() == (["books", "boxes", "films"], None)
    assert names(prefix="bo") == (["books", "boxes"], None)
    first, token = names(maxResults=2)
    assert (first, names(nextToken=token)) == (["books", "boxes"], (["films"], None))


def test_a_bucket_keeps_its_policy(s3vectors, index):
    bucket = {"vectorBucketName": index["vectorBucketName"]}
    policy = '{"Version": "2012-10-17", "Statement": []}'
    s3vectors.put_vector_bucket_policy(**bucket, policy=policy)
    assert s3vectors.get_vector_bucket_policy(**bucket)["policy"] == policy
    s3vectors.delete_vector_bucket_policy(**bucket)
    assert refusal(s3vectors.get_vector_bucket_policy, **bucket)[0] == "NotFoundException"


def test_a_query_that_shows_metadata_needs_get_vectors_too(local_cloud, s3vectors, index):
    arn = s3vectors.get_index(**index)["index"]["indexArn"]
    put_films(s3vectors, index)
    person = Person(
        local_cloud, f"reader-{random.getrandbits(32)}",
        {"Effect": "Allow", "Action": "s3vectors:QueryVectors", "Resource": arn},
    )  # fmt: skip
    client = person.client("s3vectors")
    assert found(client, index, count=1) == ["east"]
    ask = {**index, "queryVector": {"float32": [1, 0]}, "topK": 1, "returnMetadata": True}
    code, message, status = refusal(client.query_vectors, **ask)
    assert (code, status) == ("AccessDeniedException", 403)
    assert f"s3vectors:GetVectors on resource: {arn}" in message.replace('"', "")
