//! That a merge forgets no table: every column that refers to people, in both databases as they
//! are, has a step or a reason.

use sqlx::{AssertSqlSafe, Connection, PgConnection};

use super::{
    STEPS,
    Step::{Forget, Move},
};
use crate::db::{Db, on};

/// Columns that no step touches, and why.
const APART: [(&str, &str); 7] = [
    ("identities.user_id", "move_names and move_password"),
    ("ratings.user_id", "move_ratings, which makes one of two"),
    ("sessions.user_id", "they end, and stay for the record"),
    ("users.merged_into", "says where an account has gone, which does not change"),
    ("playing.user_id", "nobody who is busy is merged"),
    ("queue_entries.user_id", "nobody who is busy is merged"),
    ("room_members.user_id", "nobody who is busy is merged"),
];

const OF_SQLITE: &str = "select m.name || '.' || f.\"from\" from sqlite_master m
     join pragma_foreign_key_list(m.name) f on f.\"table\" = 'users'
     where m.type = 'table' order by 1";
const OF_POSTGRES: &str =
    "select c.conrelid::regclass::text || '.' || a.attname from pg_constraint c
     join pg_attribute a on a.attrelid = c.conrelid and a.attnum = any (c.conkey)
     where c.contype = 'f' and c.confrelid = 'users'::regclass order by 1";

/// The table that a statement changes.
fn table(text: &str) -> &str {
    let rest = ["update ", "insert into ", "delete from "]
        .iter()
        .find_map(|start| text.strip_prefix(start))
        .expect("a step changes a table");
    rest.split_whitespace().next().unwrap_or_default()
}

/// Whether a step takes a column's rows from the one that goes.
fn takes(column: &str) -> bool {
    let (of, name) = column.split_once('.').expect("it has a table");
    STEPS.iter().any(|step| match step {
        Move(text) => table(text) == of && text.contains(&format!("{name} = $2")),
        Forget(text) => table(text) == of && text.contains(&format!("{name} = $1")),
    })
}

async fn check(db: &Db) {
    db.migrate().await.unwrap();
    let columns: Vec<String> = match db {
        Db::Sqlite(pool) => sqlx::query_scalar(OF_SQLITE).fetch_all(pool).await.unwrap(),
        Db::Postgres(pool) => sqlx::query_scalar(OF_POSTGRES).fetch_all(pool).await.unwrap(),
    };
    assert!(columns.len() > 30, "these are not all: {columns:?}");
    for column in &columns {
        let apart = APART.iter().any(|(it, _)| it == column);
        assert!(takes(column) != apart, "{column} refers to people: a merge needs a step for it");
    }
    for (column, _) in APART {
        assert!(columns.iter().any(|it| it == column), "there is no {column}");
    }
    // What the steps name is there: each runs, on nobody.
    on!(db, pool => {
        for step in STEPS {
            match step {
                Move(text) => sqlx::query(*text).bind(-1).bind(-2),
                Forget(text) => sqlx::query(*text).bind(-2),
            }
            .execute(pool)
            .await
            .unwrap();
        }
    });
}

#[tokio::test]
async fn every_column_that_refers_to_people_is_merged_on_sqlite() {
    check(&Db::open("sqlite::memory:").await.unwrap()).await;
}

#[tokio::test]
async fn every_column_that_refers_to_people_is_merged_on_postgres() {
    let Ok(cluster) = std::env::var("ARTEL_TEST_POSTGRES") else { return };
    let schema = format!("t_{:016x}", rand::random::<u64>());
    let run = async |text: String| {
        let mut cluster = PgConnection::connect(&cluster).await.unwrap();
        sqlx::raw_sql(AssertSqlSafe(text)).execute(&mut cluster).await.unwrap();
    };
    run(format!("create schema {schema}")).await;
    let joint = if cluster.contains('?') { '&' } else { '?' };
    let db = Db::open(&format!("{cluster}{joint}options=-csearch_path%3D{schema}")).await.unwrap();
    check(&db).await;
    db.close().await;
    run(format!("drop schema {schema} cascade")).await;
}
