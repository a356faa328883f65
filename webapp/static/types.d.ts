// The wire's types under the names that the browser's code uses. `wire.d.ts` is generated; when a
// type there is renamed, this is the one place that follows.

import type { components } from "../wire.d.ts";

type S = components["schemas"];

export type PublicUser = S["PublicUser"];
export type Session = S["Session"];
export type SessionUser = Session["user"];
export type Game = S["Game"];
export type Games = S["Games"];
export type Queued = S["Queued"];
export type MatchInfo = S["MatchInfo"];
export type Profile = S["Profile"];
export type Stats = S["Stats"];
export type GameStats = S["GameStats"];
export type History = S["History"];
export type PastMatch = S["PastMatch"];
export type TopList = S["TopList"];
export type TopPlayer = S["TopPlayer"];

/** What the lobby's socket says. */
export type FromLobby = S["LobbyMessage"];
export type QueueUpdate = Extract<FromLobby, { type: "queue_update" }>;
export type Matched = Extract<FromLobby, { type: "matched" }>;

export type Rooms = S["Rooms"];
export type ListedRoom = S["ListedRoom"];
export type RoomView = S["RoomView"];
export type RoomInfo = S["RoomInfo"];
export type RoomMember = S["RoomMember"];
export type RoomScore = S["RoomScore"];
export type RoomLine = S["RoomLine"];
export type Parting = S["Parting"];
export type Me = S["Me"];
export type TelegramLink = S["TelegramLink"];

export type SignInOptions = S["SignInOptions"];
export type Handoff = S["Handoff"];
export type Way = S["Way"];
export type MyWays = S["MyWays"];
export type MergeOffer = S["MergeOffer"];
export type MySession = S["MySession"];
export type MySessions = S["MySessions"];
export type Friends = S["Friends"];
export type Friend = S["Friend"];
export type FriendRequest = S["FriendRequest"];
export type Presence = S["Presence"];
export type Notification = Extract<FromLobby, { type: "notification" }>;
export type Blocks = S["Blocks"];
export type Shunned = S["Shunned"];
export type Reports = S["Reports"];
export type Report = S["Report"];
export type PersonFile = S["PersonFile"];
export type Sanction = S["Sanction"];
export type AuditPage = S["AuditPage"];
export type AuditLine = S["AuditLine"];

export type GameState = S["GameState"];
export type SeatState = S["SeatState"];
export type Level = S["Level"];
export type Matches = S["Matches"];
export type Replayed = S["Replayed"];
export type GameUpdate = S["GameUpdate"];
export type GameOver = S["GameOver"];
export type Outcome = S["Outcome"];
export type RatingChange = S["RatingChange"];

/** What somebody's hands do, of which nothing comes: shown while it is fresh, and not kept. */
export type Gesture = S["GestureSeen"];

/** What a match's socket says; pings come back to `lib/socket.js` alone. */
export type FromMatch =
    | GameState
    | GameUpdate
    | GameOver
    | S["PlayerUpdate"]
    | S["ScoreUpdate"]
    | S["RematchUpdate"]
    | S["ChatSaid"]
    | Gesture
    | S["SocketError"];

export type PongView = S["PongView"];
export type PongUpdate = S["PongUpdate"];
