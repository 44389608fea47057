"""An acquirer that is not ours: written from docs/reference/asks-on-the-wire.md alone, with joserfc for JOSE.

Reads {"network", "member", "signing", "sealing", "dataSet", "sql", "other"} from standard input (the keys as private JWKs), asks
every site that offers the data set, opens what is released, verifies every receipt off line, and writes what it found. `other` is
a member whose keys are changed, to follow the chain to the new ones.
"""

import base64
import copy
import datetime
import hashlib
import json
import secrets
import sys
import time
import urllib.error
import urllib.request
import warnings

warnings.filterwarnings("ignore")  # RFC 9864 deprecates the name EdDSA, which the page asks for.

from joserfc import jwe, jws
from joserfc.jwk import OKPKey


class Refused(Exception):
    """Something does not hold; the text says what."""


def require(holds, what):
    if not holds:
        raise Refused(what)


# --- forms ---


def canonical(value):
    # RFC 8785 for what is here: keys in ASCII, no fractions.
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def digest(data):
    return "sha-256:" + hashlib.sha256(data.encode() if isinstance(data, str) else data).hexdigest()


def key_of(jwk):
    return OKPKey.import_key({name: jwk[name] for name in ("kty", "crv", "x", "d") if name in jwk})


def key_id(jwk):
    return key_of(jwk).thumbprint()


def raw(jwk):
    return base64.urlsafe_b64decode(jwk["x"] + "=")


def sign(payload, typ, jwk):
    header = {"alg": "EdDSA", "typ": typ, "kid": key_id(jwk)}
    return jws.serialize_compact(header, canonical(payload), key_of(jwk), algorithms=["EdDSA"])


def verify(text, typ, jwk):
    try:
        seen = jws.deserialize_compact(text, key_of(jwk), algorithms=["EdDSA"])
    except Exception as error:
        raise Refused(f"{typ}: {error}") from error
    header = seen.headers()
    require(header["typ"] == typ, f"another typ than {typ}")
    require(header["kid"] == key_id(jwk), f"{typ} is signed with another key")
    return json.loads(seen.payload)


def seal(payload, typ, jwk):
    header = {"alg": "ECDH-ES", "enc": "A256GCM", "typ": typ, "kid": key_id(jwk)}
    return jwe.encrypt_compact(header, canonical(payload), key_of(jwk), algorithms=["ECDH-ES", "A256GCM"])


def unseal(text, typ, jwk):
    opened = jwe.decrypt_compact(text, key_of(jwk), algorithms=["ECDH-ES", "A256GCM"])
    header = opened.headers()
    require(header["typ"] == typ and header["kid"] == key_id(jwk), "sealed as something else, or to another key")
    return json.loads(opened.plaintext)


def new_id(prefix):
    number = (int(time.time() * 1000) << 80) | secrets.randbits(80)
    letters = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
    return f"{prefix}_" + "".join(letters[(number >> (5 * place)) & 31] for place in range(25, -1, -1))


# --- the line to the network ---


class Network:
    def __init__(self, url):
        self.url, self.token = url, None

    def call(self, path, body=None):
        request = urllib.request.Request(self.url + path, None if body is None else json.dumps(body).encode())
        request.add_header("content-type", "application/json")
        if self.token:
            request.add_header("authorization", f"Bearer {self.token}")
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)

    def get(self, path):
        status, answer = self.call(path)
        require(status == 200, f"{path}: {status} {answer}")
        return answer

    def items(self, path):
        found, cursor = [], ""
        while cursor is not None:
            page = self.get(f"{path}{'&' if '?' in path else '?'}limit=200{cursor and '&cursor=' + cursor}")
            found, cursor = found + page["items"], page.get("nextCursor")
        return found

    def sign_in(self, member, audience, signing):
        now = int(time.time())
        claims = {"iss": member, "sub": member, "aud": audience, "iat": now, "exp": now + 60, "jti": new_id("jti")}
        grant = "urn:ietf:params:oauth:grant-type:jwt-bearer"
        status, answer = self.call("/v1/token", {"grant_type": grant, "assertion": sign(claims, "JWT", signing)})
        require(status == 200, f"no token: {answer}")
        self.token = answer["access_token"]


# --- whose keys ---


def follow(owner, first, rotations, kind, typ):
    present = first
    for rotation in rotations:
        statement = verify(rotation, typ, present["signing"])
        require(statement[kind] == owner, "a rotation of somebody else")
        present = statement["next"]
    return present


def pin_member(record):
    keys = follow(record["id"], record["firstKeys"], record["rotations"], "member", "hedgerow-key-rotation+jws")
    require(keys == record["keys"], "the rotations do not lead to the present keys")
    return keys


def pin_network(info):
    name, _, packed = info["witness"].split("+", 2)
    witness_bytes = base64.b64decode(packed)
    require(witness_bytes[0] == 4 and len(witness_bytes) == 33, "no key of a witness")
    x = base64.urlsafe_b64encode(witness_bytes[1:]).decode().rstrip("=")
    present = {"signing": info["signing"], "witness": {"kty": "OKP", "crv": "Ed25519", "x": x}}
    first = info.get("firstKeys", present)
    rotations = info.get("rotations", [])
    keys = follow(info["name"], first, rotations, "network", "hedgerow-network-key-rotation+jws")
    require(keys == present, "the rotations do not lead to the present keys")
    return {"name": name, "key": present["witness"]}


# --- receipts, off line ---


def key_hash(name, kind, jwk):
    return hashlib.sha256(name.encode() + b"\n" + bytes([kind]) + raw(jwk)).digest()[:4]


def is_signature(data, signature, jwk):
    try:
        key_of(jwk).public_key.verify(signature, data)
        return True
    except Exception:
        return False


def open_checkpoint(note, origin, jwk, witness):
    text, _, under = note.rpartition("\n\n")
    text += "\n"
    require(note.endswith("\n"), "no note")
    is_signed, witnessed = False, None
    for line in under[:-1].split("\n"):
        dash, name, packed = line.split(" ")
        require(dash == "\u2014", "no line of a signature")
        data = base64.b64decode(packed, validate=True)
        if name == origin and data[:4] == key_hash(name, 1, jwk):
            require(is_signature(text.encode(), data[4:], jwk), "the checkpoint is not signed by the log")
            is_signed = True
        if name == witness["name"] and data[:4] == key_hash(name, 4, witness["key"]):
            seconds = int.from_bytes(data[4:12], "big")
            signed = f"cosignature/v1\ntime {seconds}\n{text}".encode()
            require(is_signature(signed, data[12:], witness["key"]), "the witness did not sign this")
            witnessed = seconds
    require(is_signed, "the checkpoint is not signed by the log")
    named, size, root = text.split("\n")[:3]
    require(named == origin, "the checkpoint of another log")
    return int(size), base64.b64decode(root, validate=True), witnessed


def root_from(index, size, leaf, proof):
    node, last, found = index, size - 1, leaf
    for sibling in proof:
        require(last > 0, "the proof is too long")
        if node % 2 == 1 or node == last:
            found = hashlib.sha256(b"\1" + sibling + found).digest()
            while node % 2 == 0 and node != 0:
                node, last = node >> 1, last >> 1
        else:
            found = hashlib.sha256(b"\1" + found + sibling).digest()
        node, last = node >> 1, last >> 1
    require(last == 0, "the proof is too short")
    return found


def verify_receipt(bundle, signers, witness):
    text, log = bundle["receipt"], bundle["log"]
    claimed = json.loads(jws.extract_compact(text.encode()).payload)
    jwk = signers[claimed["site"]]
    receipt = verify(text, "hedgerow-receipt+jws", jwk)
    require(receipt["sequence"] == log["index"], "another place in the log")
    require(log["origin"] == "hedgerow/" + receipt["site"], "another log")
    size, root, witnessed = open_checkpoint(log["checkpoint"], log["origin"], jwk, witness)
    require(log["index"] < size, "a place past the end of the log")
    leaf = hashlib.sha256(b"\0" + text.encode()).digest()
    proof = [base64.b64decode(step, validate=True) for step in log["inclusionProof"]]
    require(root_from(log["index"], size, leaf, proof) == root, "not in the log")
    return receipt, witnessed


def refuses(bundle, change, signers, witness):
    """Whether a receipt of which one thing was changed is refused: a verifier that takes everything shows nothing."""
    changed = copy.deepcopy(bundle)
    change(changed)
    try:
        verify_receipt(changed, signers, witness)
        return False
    except Refused:
        return True


def flipped(text, place):
    return text[:place] + ("A" if text[place] != "A" else "B") + text[place + 1 :]


def change_proof(bundle):
    steps = bundle["log"]["inclusionProof"]
    steps[:] = [flipped(step, 3) for step in steps] if steps else ["A" * 43 + "="]


def change_payload(bundle):
    header, payload, signature = bundle["receipt"].split(".")
    receipt = json.loads(base64.urlsafe_b64decode(payload + "=="))
    changed = base64.urlsafe_b64encode(canonical({**receipt, "mode": "rows"})).decode().rstrip("=")
    bundle["receipt"] = f"{header}.{changed}.{signature}"


CHANGES = [
    change_payload,
    lambda bundle: bundle.update(receipt=flipped(bundle["receipt"], bundle["receipt"].rindex(".") + 9)),
    lambda bundle: bundle["log"].update(index=bundle["log"]["index"] + 1),
    lambda bundle: bundle["log"].update(checkpoint=flipped(bundle["log"]["checkpoint"], 20)),
    change_proof,
]


# --- one ask from end to end ---


def main():
    given = json.load(sys.stdin)
    member, signing, sealing = given["member"], given["signing"], given["sealing"]
    network = Network(given["network"])
    info = network.get("/v1/network")
    witness = pin_network(info)
    offers = network.items(f"/v1/offers?dataSet={given['dataSet']}")
    network.sign_in(member, info["name"], signing)
    wanted = {offer["site"] for offer in offers}
    pinned = {site["id"]: pin_member(site) for site in network.items("/v1/sites") if site["id"] in wanted}
    signers = {**{name: keys["signing"] for name, keys in pinned.items()}, info["name"]: info["signing"]}

    question = {
        "question": {"sql": given["sql"], "parameters": []},
        "salt": base64.urlsafe_b64encode(secrets.token_bytes(24)).decode(),
    }
    sealed = {
        name: seal(question, "hedgerow-question+jwe", keys["sealing"]) for name, keys in pinned.items()
    }
    expires = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=30)
    ask = {
        "id": new_id("ask"),
        "acquirer": member,
        "purpose": "dpv:AcademicResearch",
        "legalBasis": "eu-gdpr:A6-1-a",
        "mode": "aggregate",
        "offer": given["dataSet"],
        "sites": ["any"],
        "releaseTo": {"jurisdiction": "IE"},
        "question": {"digest": digest(canonical(question)), "sealed": sealed},
        "maxPrice": {"amount": 5000, "currency": "EUR"},
        "expires": expires.isoformat(timespec="milliseconds"),
        "idempotencyKey": new_id("key"),
    }
    signed = sign(ask, "hedgerow-ask+jws", signing)
    status, state = network.call("/v1/asks", {"ask": signed})
    require(status == 201, f"not taken: {state}")
    while state["status"] == "waiting":
        state = network.get(f"/v1/asks/{ask['id']}?wait=20000&releases=true")
    require(state["status"] == "answered", f"declined: {state.get('reason')}")
    if not all("release" in answer for answer in state["sites"]):
        state = network.get(f"/v1/asks/{ask['id']}?releases=true")

    sites = [
        read_answer(answer, ask=ask, signed=signed, sealing=sealing, signers=signers, witness=witness)
        for answer in state["sites"]
    ]
    _, again = network.call("/v1/asks", {"ask": signed})
    _, other = network.call("/v1/asks", {"ask": sign({**ask, "mode": "rows"}, "hedgerow-ask+jws", signing)})
    forged = sign({**ask, "id": new_id("ask"), "idempotencyKey": new_id("key")}, "hedgerow-other+jws", signing)
    _, wrong_typ = network.call("/v1/asks", {"ask": forged})
    status, malformed = network.call("/v1/asks", {"ask": sign({**ask, "more": 1}, "hedgerow-ask+jws", signing)})
    own_receipt, _ = verify_receipt(wrong_typ["receipt"], signers, witness)
    found = {
        "ask": ask["id"],
        "sites": sites,
        "again": again["status"],
        "other": other["reason"],
        "wrongTyp": wrong_typ["reason"],
        "networkReceipt": [own_receipt["kind"], own_receipt["reason"], own_receipt["site"]],
        "malformed": [status, malformed["code"]],
        "dryRun": try_in_batch(network, {**ask, "dryRun": True}, signing, signers, witness),
        "witnessed": wait_for_witness(network, ask["id"], signers, witness),
        "followed": rotate(given["network"], info["name"], given["other"]),
    }
    json.dump(found, sys.stdout)


def read_answer(answer, *, ask, signed, sealing, signers, witness):
    decision = verify(answer["decision"], "hedgerow-decision+jws", signers[answer["site"]])
    require(decision["ask"] == ask["id"] and decision["site"] == answer["site"], "the decision of another ask")
    require("release" in answer, f"nothing was released: {decision['reason']} {decision.get('detail', '')}")
    require(digest(answer["release"]) == decision["releaseDigest"], "another release than was decided")
    release = unseal(answer["release"], "hedgerow-release+jwe", sealing)
    require(release["ask"] == ask["id"] and release["site"] == answer["site"], "the release of another ask")
    require(answer["captured"] == decision["price"], "another price than was decided")
    receipts = [verify_receipt(bundle, signers, witness)[0] for bundle in answer["receipts"]]
    for receipt in receipts:
        require(receipt["ask"] == digest(signed) and receipt["askId"] == ask["id"], "a receipt of another ask")
        require(receipt["reason"] == decision["reason"], "a receipt with another reason")
        require(receipt["price"] == decision["price"], "a receipt with another price")
        require(receipt.get("release", decision["releaseDigest"]) == decision["releaseDigest"], "another release")
    return {
        "site": answer["site"],
        "reason": decision["reason"],
        "price": decision["price"],
        "columns": [column["name"] for column in release["columns"]],
        "rows": release["rows"],
        "receipts": sorted(receipt["kind"] for receipt in receipts),
        "changesRefused": all(
            refuses(bundle, change, signers, witness) for bundle in answer["receipts"] for change in CHANGES
        ),
    }


def try_in_batch(network, ask, signing, signers, witness):
    """The reason and the kinds of receipts of a dry run that is sent in a batch of one, signed by the acquirer itself."""
    ask = {**ask, "id": new_id("ask"), "idempotencyKey": new_id("key")}
    batch = sign({"processor": ask["acquirer"], "asks": [ask]}, "hedgerow-ask-batch+jws", signing)
    status, answer = network.call("/v1/asks", {"batch": batch})
    require(status == 201, f"not taken: {answer}")
    [state] = answer["answers"]
    while state["status"] == "waiting":
        state = network.get(f"/v1/asks/{ask['id']}?wait=20000")
    [site] = state["sites"]
    decision = verify(site["decision"], "hedgerow-decision+jws", signers[site["site"]])
    require("releaseDigest" not in decision and not site["hasRelease"], "a dry run released something")
    receipts = [verify_receipt(bundle, signers, witness)[0] for bundle in site["receipts"]]
    for receipt in receipts:
        require(receipt["ask"] == digest(f"{digest(batch)}#0"), "a receipt of another ask")
    return [decision["reason"], *(receipt["kind"] for receipt in receipts)]


def rotate(url, audience, party):
    """Whether the keys of a member, changed by a statement of the key before, are those that its chain leads to."""
    network, name = Network(url), party["member"]
    network.sign_in(name, audience, party["signing"])
    public = {kind: {part: party[kind][part] for part in ("kty", "crv", "x")} for kind in ("signing", "sealing")}
    fresh = OKPKey.generate_key("Ed25519").as_dict(private=False)
    next_keys = {**public, "signing": {part: fresh[part] for part in ("kty", "crv", "x")}}
    now = datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="milliseconds")
    rotation = sign({"member": name, "next": next_keys, "time": now}, "hedgerow-key-rotation+jws", party["signing"])
    status, answer = network.call(f"/v1/members/{name}/keys", {"rotation": rotation})
    require(status in (200, 201), f"not rotated: {answer}")
    return pin_member(answer) == next_keys and len(answer["rotations"]) == 1


def wait_for_witness(network, ask_id, signers, witness):
    """Whether every receipt of the sites is cosigned before long."""
    deadline = time.monotonic() + 15
    while time.monotonic() < deadline:
        state = network.get(f"/v1/asks/{ask_id}")
        bundles = [bundle for answer in state["sites"] for bundle in answer["receipts"]]
        if all(verify_receipt(bundle, signers, witness)[1] for bundle in bundles):
            return True
        time.sleep(0.05)
    return False


try:
    main()
except Refused as refused:
    sys.exit(f"refused: {refused}")
