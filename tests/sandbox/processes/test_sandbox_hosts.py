"""The platform by its real host names: who answers for what, and the authority behind the certificates."""

import contextlib
import ipaddress
import os
import ssl
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from evergrant_sandbox import certificates
from evergrant_sandbox.world.hosts import HOSTS, NAMES, House, house_of
from tests.sandbox.kit import Client, Reply, Sandbox

TOKENS, API = "auth.tiktok-shops.com", "open-api.tiktokglobalshop.com"


SERVICES, PARTNER = "services.tiktokshop.com", "partner.tiktokshop.com"


NOW = 1_800_000_000.0


# --- who answers for what
async def asked(sandbox: Sandbox, host: str, path: str, method: str = "GET") -> Reply:
    """What a host says to a path."""
    return await Client(sandbox.application.by_name(), host=host).call(method, path)


@pytest.mark.parametrize(
    ("host", "path", "status", "said"),
    [
        (TOKENS, "/api/v2/token/get", 200, '"code":36009004'),
        (TOKENS, "/api/v2/token/nothing", 404, "404 page not found"),
        (TOKENS, "/authorization/202309/shops", 404, "404 page not found"),
        (TOKENS, "/open/authorize", 404, "404 page not found"),
        (TOKENS, "/oauth/authorize", 404, "<h1"),
        (TOKENS, "/", 404, "404 page not found"),
        (API, "/authorization/202309/shops", 400, '"code":36009004'),
        (API, "/api/v2/token/get", 404, '"code":36009009'),
        (API, "/open/authorize", 404, '"code":36009009'),
        (API, "/", 404, '"code":36009009'),
        (SERVICES, "/open/authorize", 404, "<h1"),
        (SERVICES, "/api/v2/token/get", 404, "404 page not found"),
        (SERVICES, "/authorization/202309/shops", 404, "404 page not found"),
        (SERVICES, "/_sandbox/world", 404, "404 page not found"),
        (SERVICES, "/partner/", 404, "404 page not found"),
        (SERVICES, "/limits", 200, "<h1"),
        (SERVICES, "/", 404, "404 page not found"),
        ("services.us.tiktokshop.com", "/open/authorize", 404, "<h1"),
        ("services.tiktokshops.us", "/open/authorize", 404, "<h1"),
        ("seller-us.tiktok.com", "/seller/login", 200, "<h1"),
        ("seller-us.tiktok.com", "/", 307, ""),
        ("seller-us.tiktok.com", "/partner/", 404, "404 page not found"),
        (PARTNER, "/", 307, ""),
        (PARTNER, "/open/authorize", 404, "link for agencies"),
        (PARTNER, "/_sandbox/world", 404, "404 page not found"),
        ("127.0.0.1", "/_sandbox/world", 421, "real host names"),
        ("www.tiktok.com", "/", 421, "real host names"),
        ("", "/api/v2/token/get", 421, "real host names"),
    ],
)
async def test_a_host_answers_for_its_own_paths_alone(
    sandbox: Sandbox, host: str, path: str, status: int, said: str
) -> None:
    """As it would at home: the token host with a text, the API host with its envelope, the others with a page or none."""
    reply = await asked(sandbox, host, path)

    assert (status, True) == (reply.status, said in reply.text)


async def test_steering_is_not_reached_by_any_name(sandbox: Sandbox) -> None:
    """Not one of the hosts turns the clock."""
    replies = {name: await asked(sandbox, name, "/_sandbox/reset", "POST") for name in NAMES}

    assert {404} == {reply.status for reply in replies.values()}
    assert len(await sandbox.ask("log")) > 0


async def test_the_walk_of_a_link_goes_on_at_the_host_where_it_began(sandbox: Sandbox) -> None:
    """From the link to the prompt, without leaving `services`, and by the older route at the token host."""
    world = await sandbox.world()
    app = world["apps"][0]
    for host, path in (
        (SERVICES, f"/open/authorize?service_id={app['service_id']}"),
        (TOKENS, f"/oauth/authorize?app_key={app['key']}"),
    ):
        client = Client(sandbox.application.by_name(), host=host)
        entered = await client.get(path)
        prompt = await client.get(entered.header("location") or "")

        assert (303, 200) == (entered.status, prompt.status)
        assert "Next" in prompt.text


async def test_the_base_address_has_everything_together(sandbox: Sandbox) -> None:
    """Without a name the path alone decides, even when somebody sends a real one there."""
    client = Client(sandbox.application, host=SERVICES)

    assert 200 == (await client.get("/api/v2/token/get")).status
    assert 400 == (await client.get("/authorization/202309/shops")).status
    assert 200 == (await client.get("/seller/login")).status


@pytest.mark.parametrize(
    ("given", "house"),
    [
        ("open-api.tiktokglobalshop.com:8443", House.API),
        ("AUTH.TikTok-Shops.com", House.TOKENS),
        ("partner.eu.tiktokshop.com.", House.PARTNER_CENTER),
        ("seller-uk.tiktok.com", House.SELLER_CENTER),
        ("seller-cn.tiktok.com", None),
        ("open-api-sandbox.tiktokglobalshop.com", None),
        ("services.tiktokglobalshop.com", None),
    ],
)
def test_a_name_is_known_or_not(given: str, house: House | None) -> None:
    """Ports and letter case aside; dead and invented names of the wire sheet are not among them."""
    assert house == house_of(given)


def test_every_name_says_where_it_is_taken_from() -> None:
    """And stands in the list once."""
    assert len(set(NAMES)) == len(HOSTS)
    assert all("." in host.source for host in HOSTS)


# --- the authority
def issued(folder: Path, *, names: tuple[str, ...] = NAMES, now: float = NOW) -> certificates.Papers:
    """Papers as a start of the sandbox makes them."""
    return certificates.issue(folder, names, now=now, dice=os.urandom)


def test_keys_are_for_their_owner_alone(tmp_path: Path) -> None:
    """0600, in a folder of 0700; certificates may be read by everybody."""
    papers = issued(tmp_path / "hosts")
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "hosts").iterdir()}

    assert 0o700 == stat.S_IMODE((tmp_path / "hosts").stat().st_mode)
    assert {"authority.key": 0o600, "server.key": 0o600} == {k: v for k, v in modes.items() if k.endswith("key")}
    assert {"authority.pem", "server.pem"} == modes.keys() - {"authority.key", "server.key"}
    assert papers.key == tmp_path / "hosts" / "server.key"


def test_the_authority_stays_and_the_certificate_is_fresh(tmp_path: Path) -> None:
    """So it is trusted once, and no certificate lives longer than 30 days."""
    first = issued(tmp_path)
    kept = (first.authority.read_bytes(), first.certificate.read_bytes(), first.key.read_bytes())
    again = issued(tmp_path, now=NOW + 86_400)
    leaf = x509.load_pem_x509_certificate(again.certificate.read_bytes())

    assert kept[0] == again.authority.read_bytes()
    assert kept[1] != again.certificate.read_bytes()
    assert kept[2] != again.key.read_bytes()
    assert datetime.fromtimestamp(NOW, UTC) + timedelta(days=31) == leaf.not_valid_after_utc


@pytest.mark.parametrize(
    "what", ["near its end", "not yet", "other names", "no key", "another key", "junk", "half written"]
)
def test_an_authority_that_will_not_do_is_replaced(tmp_path: Path, what: str) -> None:
    """It nears its end, is for other names, or was spoilt."""
    first = issued(tmp_path).authority.read_bytes()
    key = tmp_path / "authority.key"
    now, names = NOW, NAMES
    match what:
        case "near its end":
            now += 306 * 86_400
        case "not yet":
            now -= 86_400
        case "other names":
            names = (*NAMES, "seller-nl.tiktok.com")
        case "no key":
            key.unlink()
        case "another key":
            key.write_bytes((tmp_path / "server.key").read_bytes())
        case "junk":
            (tmp_path / "authority.pem").write_text("junk")
        case _:
            key.write_bytes(key.read_bytes()[:100])
    after = issued(tmp_path, now=now, names=names)

    authority = x509.load_pem_x509_certificate(after.authority.read_bytes())
    leaf = x509.load_pem_x509_certificate(after.certificate.read_bytes())

    assert first != after.authority.read_bytes()
    leaf.verify_directly_issued_by(authority)


def handshake(papers: certificates.Papers, name: str, *, authority: Path | None = None) -> str:
    """A TLS handshake in memory: a client that trusts the authority alone, and a server with these papers."""
    client = ssl.create_default_context(cafile=authority or papers.authority)
    client.verify_flags |= ssl.VERIFY_X509_STRICT
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(papers.certificate, papers.key)
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    ours = client.wrap_bio(to_client, to_server, server_hostname=name)
    theirs = server.wrap_bio(to_server, to_client, server_side=True)
    for side in (ours, theirs) * 4:
        with contextlib.suppress(ssl.SSLWantReadError):
            side.do_handshake()
    assert ours.version()
    return str(ours.server_hostname)


def now_papers(folder: Path) -> certificates.Papers:
    """Papers for the clock of this machine, by which the handshake goes."""
    return issued(folder, now=datetime.now(UTC).timestamp())  # noqa: TID251  (OpenSSL goes by it)


@pytest.mark.parametrize("name", NAMES)
def test_every_name_is_vouched_for(tmp_path: Path, name: str) -> None:
    """By the letter of the standard, name constraints included."""
    assert name == handshake(now_papers(tmp_path), name)


@pytest.mark.parametrize("name", ["www.tiktok.com", "tiktokshop.com", "127.0.0.1", "localhost"])
def test_no_other_name_is(tmp_path: Path, name: str) -> None:
    """Nor the address itself."""
    with pytest.raises(ssl.SSLCertVerificationError, match="mismatch"):
        handshake(now_papers(tmp_path), name)


@pytest.mark.parametrize(
    ("name", "what", "match"),
    [
        ("bank.example", x509.DNSName("bank.example"), "permitted subtree violation"),
        ("127.0.0.1", x509.IPAddress(ipaddress.ip_address("127.0.0.1")), "excluded subtree violation"),
    ],
)
def test_the_authority_cannot_vouch_for_others(tmp_path: Path, name: str, what: x509.GeneralName, match: str) -> None:
    """Whoever stole its key could imitate neither a bank nor this machine: it is constrained to the names of the list."""
    at = datetime.now(UTC)  # noqa: TID251  (OpenSSL goes by it)
    papers = now_papers(tmp_path)
    authority = certificates._kept(tmp_path, NAMES, at)
    assert authority
    key = ec.generate_private_key(ec.SECP256R1())
    subject, issuer = x509.Name([]), authority.certificate.subject
    forged = (
        certificates._begun(issuer, subject, key.public_key(), at, timedelta(days=1), os.urandom)
        .add_extension(x509.SubjectAlternativeName([what]), critical=True)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.key.public_key()), critical=False)
        .sign(authority.key, hashes.SHA256())
    )
    papers.certificate.write_bytes(certificates._pem(forged))
    papers.key.write_bytes(certificates._key_pem(key))

    with pytest.raises(ssl.SSLCertVerificationError, match=match):
        handshake(papers, name)


def test_another_sandboxs_authority_is_not_trusted(tmp_path: Path) -> None:
    """Each folder has its own."""
    with pytest.raises(ssl.SSLCertVerificationError):
        handshake(now_papers(tmp_path / "one"), NAMES[0], authority=now_papers(tmp_path / "other").authority)
