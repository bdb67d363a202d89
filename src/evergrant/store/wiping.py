"""What is removed of a connection, a merchant, a tenant: a list of statements each, in an order foreign keys allow.

docs/reference/retention.md says the same by table, and a test holds every table of the schema against that page. What
stays are ids, states, instants and the audit trail. $1 is the tenant, $2 the subject.
"""

from collections.abc import Sequence
from typing import TypeAlias

from evergrant.actions.repeating import ONCE_ONLY

Statements: TypeAlias = Sequence[tuple[str, str]]
"""Each with what it is counted as in the deletion record; a statement that counts nothing has no name."""

RECORDS = """
delete from records where ctid = any(array(
    select ctid from records where tenant_id = $1 and connection_id = $2 limit 5000))
"""

EXCEPTIONS = """
with batch as materialized (select id from exceptions where tenant_id = $1 and connection_id = $2 limit 5000),
told as (delete from replay_items i using batch where i.tenant_id = $1 and i.exception_id = batch.id)
delete from exceptions x using batch where x.tenant_id = $1 and x.id = batch.id
"""

PUSHES = """
delete from pushes where ctid = any(array(select ctid from pushes where tenant_id = $1 and connection_id = $2 limit 5000))
"""

IN_BATCHES: Statements = (("records", RECORDS), ("exceptions", EXCEPTIONS), ("pushes", PUSHES))
"""What there may be very much of: before all the rest, each again until nothing is left."""

ANSWERS: Statements = (
    (
        "",
        f"""
        delete from kept_answers k where k.tenant_id = $1 and (k.status is not null or k.lease_until < now())
          and case when k.route ~ '{ONCE_ONLY}' then split_part(k.route, '/', 4) in (
                select c.id from connections c where c.tenant_id = $1 and $2 in (c.id, c.merchant_id))
              else k.status is not null end
        """,  # noqa: S608  (a pattern of ours)
    ),
    (
        "",
        f"""
        update kept_answers set status = null, media_type = null, headers = '{{}}', sealed = null, lease_until = '-infinity'
        where tenant_id = $1 and status is not null and route ~ '{ONCE_ONLY}' and $2 <> ''
        """,  # noqa: S608  (the same)
    ),
)
"""Which of them name whom cannot be seen, sealed as they are: all the workspace's go. What is under way goes on.

That another connection's call of the platform was answered stays known, or its repetition would be made a second time. The
subject's own cannot be made any more.
"""

OF_CONNECTION: Statements = (
    # A notice names its shop in its body only. One nobody has understood yet is left to whoever holds the shop now.
    (
        "notices",
        """
        update notices n set body = '', settled_at = coalesce(n.settled_at, now()), outcome = coalesce(n.outcome, 'erased')
        from connections c join shops s on s.tenant_id = c.tenant_id and s.connection_id = c.id
        left join shop_holders h on h.hash = sha256(convert_to(c.app_id || '|' || s.shop_id, 'UTF8'))
        where c.tenant_id = $1 and c.id = $2 and n.tenant_id = c.tenant_id and n.app_id = c.app_id and n.body <> ''
          and position(convert_to(s.shop_id, 'UTF8') in n.body) > 0
          and (n.settled_at is not null or (h.tenant_id = $1 and h.connection_id = $2))
        """,
    ),
    (
        "events",
        """
        update events set data = '{}' where tenant_id = $1 and connection_id = $2
          and type <> 'connection.erased' and data <> '{}'
        """,
    ),
    (
        "",
        """
        delete from data_keys where tenant_id = $1 and owner_id in (
            select r.id || suffix from authorization_requests r
            join link_sessions s on s.tenant_id = r.tenant_id and s.id = r.session_id
            cross join (values (''), (':answer')) as of (suffix)
            where s.tenant_id = $1 and $2 in (s.connection_id, s.result_id)
            union all select id from stray_pairs where tenant_id = $1 and connection_id = $2
            union all select id from claims where tenant_id = $1 and connection_id = $2)
        """,
    ),
    (
        "claims",
        """
        with gone as (
            delete from claims k using shops s, connections c where k.tenant_id = $1 and k.state = 'waiting'
              and k.reason = 'shop_already_connected' and c.tenant_id = $1 and c.id = $2 and k.app_id = c.app_id
              and s.tenant_id = $1 and s.connection_id = $2
              and k.shops @> jsonb_build_array(jsonb_build_object('id', s.shop_id))
            returning k.id
        ), keyless as (delete from data_keys d using gone where d.tenant_id = $1 and d.owner_id = gone.id)
        select from gone
        """,
    ),
    (
        "",
        """
        delete from suspect_answers where tenant_id = $1 and (owner_id = $2 or owner_id in (
            select r.id from authorization_requests r
            join link_sessions s on s.tenant_id = r.tenant_id and s.id = r.session_id
            where s.tenant_id = $1 and $2 in (s.connection_id, s.result_id)))
        """,
    ),
    ("claims", "delete from claims where tenant_id = $1 and connection_id = $2"),
    ("stray_pairs", "delete from stray_pairs where tenant_id = $1 and connection_id = $2"),
    (
        "",
        """
        delete from authorization_requests where tenant_id = $1 and session_id in (
            select id from link_sessions where tenant_id = $1 and $2 in (connection_id, result_id))
        """,
    ),
    (
        "",
        """
        delete from link_handles where tenant_id = $1 and session_id in (
            select id from link_sessions where tenant_id = $1 and $2 in (connection_id, result_id))
        """,
    ),
    ("link_sessions", "delete from link_sessions where tenant_id = $1 and $2 in (connection_id, result_id)"),
    ("", "delete from presentations where tenant_id = $1 and connection_id = $2"),
    ("", "delete from recovery_held where tenant_id = $1 and connection_id = $2"),
    ("", "delete from awaited_notices where tenant_id = $1 and connection_id = $2"),
    ("", "delete from watches where tenant_id = $1 and connection_id = $2"),
    (
        "",
        """
        delete from replay_items i using exceptions x where i.tenant_id = $1 and x.tenant_id = $1
          and x.id = i.exception_id and x.connection_id = $2
        """,
    ),
    ("exceptions", "delete from exceptions where tenant_id = $1 and connection_id = $2"),
    ("", "delete from exception_rules where tenant_id = $1 and connection_id = $2"),
    ("", "update replays set connection_id = null where tenant_id = $1 and connection_id = $2"),
    ("", "delete from outage_flows where tenant_id = $1 and connection_id = $2"),
    ("", "delete from outages where tenant_id = $1 and connection_id = $2"),
    ("pushes", "delete from pushes where tenant_id = $1 and connection_id = $2"),
    ("mappings", "delete from mappings where tenant_id = $1 and connection_id = $2"),
    ("", "delete from wares where tenant_id = $1 and connection_id = $2"),
    ("", "delete from gap_records where tenant_id = $1 and connection_id = $2"),
    ("", "delete from shop_paces where tenant_id = $1 and connection_id = $2"),
    ("", "delete from flows where tenant_id = $1 and connection_id = $2"),
    ("", "delete from shop_holders where tenant_id = $1 and connection_id = $2"),
    ("shops", "delete from shops where tenant_id = $1 and connection_id = $2"),
    ("", "delete from tokens where tenant_id = $1 and connection_id = $2"),
    ("", "delete from data_keys where tenant_id = $1 and owner_id = $2"),
    ("connections", "update connections set open_id = '', seller_name = '' where tenant_id = $1 and id = $2"),
)
"""After its records, and after its life has ended. The last one says that it is done."""

OF_MERCHANT: Statements = (
    *ANSWERS,
    (
        "",
        """
        delete from data_keys where tenant_id = $1 and owner_id in (
            select r.id || suffix from authorization_requests r
            join link_sessions s on s.tenant_id = r.tenant_id and s.id = r.session_id
            cross join (values (''), (':answer')) as of (suffix)
            where s.tenant_id = $1 and s.merchant_id = $2)
        """,
    ),
    (
        "",
        """
        delete from suspect_answers where tenant_id = $1 and owner_id in (
            select r.id from authorization_requests r
            join link_sessions s on s.tenant_id = r.tenant_id and s.id = r.session_id
            where s.tenant_id = $1 and s.merchant_id = $2)
        """,
    ),
    (
        "",
        """
        delete from authorization_requests where tenant_id = $1 and session_id in (
            select id from link_sessions where tenant_id = $1 and merchant_id = $2)
        """,
    ),
    (
        "",
        """
        delete from link_handles where tenant_id = $1 and session_id in (
            select id from link_sessions where tenant_id = $1 and merchant_id = $2)
        """,
    ),
    ("link_sessions", "delete from link_sessions where tenant_id = $1 and merchant_id = $2"),
    (
        "merchants",
        """
        update merchants set external_id = id, name = '', email = '', locale = '', erased_at = coalesce(erased_at, now())
        where tenant_id = $1 and id = $2 and (erased_at is null or (external_id, name, email, locale) <> (id, '', '', ''))
        """,
    ),
)

OF_TENANT: Statements = (
    ("", "delete from data_keys where tenant_id = $1 and $2 = $1"),
    ("stray_pairs", "delete from stray_pairs where tenant_id = $1 and $2 = $1"),
    ("claims", "delete from claims where tenant_id = $1 and $2 = $1"),
    ("", "delete from suspect_answers where tenant_id = $1 and $2 = $1"),
    ("", "delete from kept_answers where tenant_id = $1 and $2 = $1"),
    ("", "delete from authorization_requests where tenant_id = $1 and $2 = $1"),
    ("", "delete from link_handles where tenant_id = $1 and $2 = $1"),
    ("link_sessions", "delete from link_sessions where tenant_id = $1 and $2 = $1"),
    (
        "merchants",
        """
        update merchants set external_id = id, name = '', email = '', locale = '', erased_at = coalesce(erased_at, now())
        where tenant_id = $1 and $2 = $1 and (erased_at is null or (external_id, name, email, locale) <> (id, '', '', ''))
        """,
    ),
    (
        "notices",
        """
        update notices set body = '', settled_at = coalesce(settled_at, now()), outcome = coalesce(outcome, 'erased')
        where tenant_id = $1 and $2 = $1 and body <> ''
        """,
    ),
    (
        "events",
        """
        update events set data = '{}' where tenant_id = $1 and $2 = $1 and type <> 'connection.erased' and data <> '{}'
        """,
    ),
    ("", "delete from exception_rules where tenant_id = $1 and $2 = $1"),
    ("", "delete from replays where tenant_id = $1 and $2 = $1"),
    ("", "delete from app_secrets where tenant_id = $1 and $2 = $1"),
    ("", "delete from app_identities where tenant_id = $1 and $2 = $1"),
    (
        "apps",
        """
        update apps set name = '', key = id, service_id = '', secret_sealed = ''
        where tenant_id = $1 and $2 = $1 and key <> id
        """,
    ),
    ("", "delete from logins where tenant_id = $1 and $2 = $1"),
    ("people", "delete from people where tenant_id = $1 and $2 = $1"),
    ("api_keys", "delete from api_keys where tenant_id = $1 and $2 = $1"),
    ("tenants", "update tenants set name = '', erased_at = now() where id = $1 and $2 = $1 and erased_at is null"),
)
"""After all its connections."""
