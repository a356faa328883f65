// A stand-in for Google, with a page that asks who one is: OpenID Connect over real HTTP, with a
// real key. The server's own tests have one that lies; this one is for people to look at.

import { createHash, generateKeyPairSync, randomBytes, sign } from "node:crypto";
import { once } from "node:events";
import http from "node:http";

const CLIENT = { id: "artel-browser-tests", secret: "a secret that only tests use" };
const PEOPLE = [
    { sub: "1001", name: "Ann Bee", email: "ann@example.org" },
    { sub: "1002", name: "Boris Cue", email: "boris@example.org" },
];

/** Starts it. `variables` is the environment of a server that relies on it as on Google. */
export async function startProvider() {
    const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    const key = { ...publicKey.export({ format: "jwk" }), kid: "one", alg: "RS256", use: "sig" };
    /** What each code is good for. */
    const grants = new Map();
    let issuer = "";
    const server = http.createServer(async (request, response) => {
        const url = new URL(request.url, issuer);
        const asked = url.searchParams;
        const json = (value, status = 200) =>
            response.writeHead(status, { "Content-Type": "application/json" }).end(JSON.stringify(value));
        switch (url.pathname) {
            case "/.well-known/openid-configuration":
                return json({
                    issuer, authorization_endpoint: `${issuer}/authorize`, token_endpoint: `${issuer}/token`, jwks_uri: `${issuer}/keys`,
                });
            case "/favicon.ico":
                return response.writeHead(204).end();
            case "/keys":
                return json({ keys: [key] });
            // Another site, that shows a page of ours as if it were its own.
            case "/frame":
                return response.writeHead(200, { "Content-Type": "text/html" })
                    .end(`<!doctype html><iframe id="stolen" src="${asked.get("of")}"></iframe>`);
            case "/authorize":
                return response.writeHead(200, { "Content-Type": "text/html" }).end(page(url));
            case "/chosen": {
                const code = randomBytes(16).toString("hex");
                const person = PEOPLE.find(({ sub }) => sub === asked.get("sub"));
                const back = new URL(asked.get("redirect_uri"));
                back.searchParams.set("state", asked.get("state"));
                if (person) {
                    grants.set(code, { person, asked });
                    back.searchParams.set("code", code);
                } else {
                    back.searchParams.set("error", "access_denied");
                }
                return response.writeHead(303, { Location: back.href }).end();
            }
            case "/token": {
                let body = "";
                for await (const chunk of request) body += chunk;
                const shown = new URLSearchParams(body);
                const grant = grants.get(shown.get("code"));
                grants.delete(shown.get("code"));
                const challenge = createHash("sha256").update(shown.get("code_verifier") ?? "").digest("base64url");
                if (!grant || challenge !== grant.asked.get("code_challenge")) return json({ error: "invalid_grant" }, 400);
                return json({ access_token: "unused", token_type: "Bearer", id_token: token(grant) });
            }
            default:
                return response.writeHead(404).end();
        }
    });
    await once(server.listen(0, "127.0.0.1"), "listening");
    issuer = `http://127.0.0.1:${server.address().port}`;

    /** What is said of somebody. */
    function token({ person, asked }) {
        const now = Math.floor(Date.now() / 1000);
        const claims = { iss: issuer, aud: CLIENT.id, nonce: asked.get("nonce"), iat: now, exp: now + 3600, ...person };
        const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
        const text = `${part({ alg: "RS256", kid: key.kid })}.${part(claims)}`;
        return `${text}.${sign("sha256", Buffer.from(text), privateKey).toString("base64url")}`;
    }

    return {
        url: issuer,
        variables: { GOOGLE_ISSUER: issuer, GOOGLE_CLIENT_ID: CLIENT.id, GOOGLE_CLIENT_SECRET: CLIENT.secret },
        stop: () => server.close(),
    };
}

function page(url) {
    const link = (sub, name) => {
        const to = new URL("/chosen", url);
        to.search = url.search;
        to.searchParams.set("sub", sub);
        return `<p><a href="${to.href.replaceAll("&", "&amp;")}" id="${name}">${name}</a></p>`;
    };
    return `<!doctype html><title>Who are you?</title><h1>Who are you?</h1>
        ${PEOPLE.map(({ sub, name }) => link(sub, name.split(" ")[0].toLowerCase())).join("")}${link("nobody", "cancel")}`;
}
