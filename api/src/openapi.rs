//! The OpenAPI document: what the handlers say of themselves, and the messages of the sockets.

use games::Kind;
use serde_json::{Map, Value, json};
use utoipa::{
    Modify, OpenApi,
    openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme},
};
use utoipa_axum::router::OpenApiRouter;

use crate::{
    Api, auth, billiards, friends, games as games_api, matches, me, moderation, operations,
    problem::Document, providers, queue, rooms, security, tickets, users,
};

/// What no handler says.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Artel",
        description = "A game arena that lives in Telegram.\n\n\
            Ids are opaque strings, moments are RFC 3339 in UTC, unknown fields in requests are \
            refused by name. Every refusal is a problem document (RFC 9457) whose `code` is a \
            stable word.\n\n\
            Live matches are played over WebSockets: `GET /ws/lobby?ticket=…` and \
            `GET /ws/game/{match_id}?ticket=…[&after=SEQ]`, each opened with a ticket of \
            `POST /api/ws-tickets`. Their messages are among the schemas: `LobbyMessage` in the \
            lobby; in a match `GameState`, `GameUpdate` (with one more field, the event of the \
            game: `PongUpdate`), `ScoreUpdate`, `PlayerUpdate`, `GameOver`, `RematchUpdate`, \
            `GestureSeen`, `ChatSaid`, `PongReply` and `SocketError`.",
        license(name = "MIT OR Apache-2.0"),
    ),
    components(schemas(
        Document,
        arena::LobbyMessage,
        live::wire::GameState,
        live::wire::GameUpdate,
        live::wire::ScoreUpdate,
        live::wire::PlayerUpdate,
        live::wire::GameOver,
        live::wire::RematchUpdate,
        live::wire::ChatSaid,
        live::wire::GestureSeen,
        live::wire::PongReply,
        live::wire::SocketError,
    )),
    modifiers(&Bearer)
)]
struct Unsaid;

struct Bearer;

impl Modify for Bearer {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("JWT").build();
        let components = document.components.get_or_insert_default();
        components.add_security_scheme("bearer", SecurityScheme::Http(bearer));
    }
}

/// The `type` of each socket message that is a schema of its own.
const TYPES: [(&str, &str); 10] = [
    ("GameState", "game_state"),
    ("GameUpdate", "game_update"),
    ("ScoreUpdate", "score_update"),
    ("PlayerUpdate", "player_update"),
    ("GameOver", "game_over"),
    ("RematchUpdate", "rematch"),
    ("ChatSaid", "chat"),
    ("GestureSeen", "gesture"),
    ("PongReply", "pong"),
    ("SocketError", "error"),
];

/// Every address of the API, documented.
pub(crate) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::with_openapi(Unsaid::openapi())
        .merge(auth::routes())
        .merge(providers::routes())
        .merge(me::routes())
        .merge(security::routes())
        .merge(games_api::routes())
        .merge(queue::routes())
        .merge(rooms::routes())
        .merge(matches::routes())
        .merge(billiards::routes())
        .merge(users::routes())
        .merge(friends::routes())
        .merge(moderation::routes())
        .merge(tickets::routes())
        .merge(operations::routes())
}

/// The document, as it is served at `/api/openapi.json`.
pub fn openapi() -> Value {
    let (_, document) = routes().split_for_parts();
    let mut document = serde_json::to_value(document).expect("an OpenAPI document is plain data");
    let refusal = json!({
        "description": "A refusal",
        "content": {
            "application/problem+json": { "schema": { "$ref": "#/components/schemas/Problem" } },
        },
    });
    for operation in operations(&mut document) {
        operation["responses"]["default"] = refusal.clone();
    }
    let schemas = document["components"]["schemas"].as_object_mut();
    let schemas = schemas.expect("the document above has schemas");
    for (name, kind) in TYPES {
        name_type(schemas.get_mut(name).expect("it is among the schemas above"), kind);
    }
    for game in Kind::ALL {
        add_game(schemas, game);
    }
    document
}

fn operations(document: &mut Value) -> impl Iterator<Item = &mut Value> {
    let paths = document["paths"].as_object_mut().into_iter().flat_map(Map::values_mut);
    paths.filter_map(Value::as_object_mut).flat_map(Map::values_mut)
}

/// Adds the field that serde writes first and utoipa does not know of.
fn name_type(schema: &mut Value, kind: &str) {
    let mut properties = Map::new();
    properties.insert("type".to_owned(), json!({ "type": "string", "const": kind }));
    if let Some(others) = schema["properties"].as_object_mut() {
        properties.append(others);
    }
    schema["properties"] = properties.into();
    match schema["required"].as_array_mut() {
        Some(required) => required.insert(0, "type".into()),
        None => schema["required"] = json!(["type"]),
    }
}

/// Adds the schemas of a game, which knows JSON Schema but not OpenAPI.
fn add_game(schemas: &mut Map<String, Value>, game: Kind) {
    // A word that can be a name in any language: titles are for people.
    let title = &format!("{game:?}");
    let [update, view, action] = game.wire_schemas();
    let own = [("Update", update), ("View", view), ("Action", action)];
    for (part, mut schema) in own.into_iter().chain([("Options", game.options_schema())]) {
        let Some(fields) = schema.as_object_mut() else { continue };
        fields.remove("$schema");
        fields.remove("title");
        // Types inside of it stand beside it, under the game's name too.
        if let Some(Value::Object(inner)) = fields.remove("$defs") {
            for (name, mut schema) in inner {
                point(&mut schema, title);
                schemas.insert(named(title, &name), schema);
            }
        }
        point(&mut schema, title);
        schemas.insert(named(title, part), schema);
    }
}

/// What a game's type is called among those of all.
fn named(title: &str, name: &str) -> String {
    format!("{title}{}", name.strip_prefix(title).unwrap_or(name))
}

/// Makes references to `$defs` into references to the document's schemas.
fn point(schema: &mut Value, title: &str) {
    match schema {
        Value::Object(fields) => {
            for (name, value) in fields {
                match (name.as_str(), value.as_str().and_then(|it| it.strip_prefix("#/$defs/"))) {
                    ("$ref", Some(inner)) => {
                        *value = format!("#/components/schemas/{}", named(title, inner)).into();
                    }
                    _ => point(value, title),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|it| point(it, title)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
