// A session with one of the clients from npm: node npm_client.js PACKAGE URL [USER PASSWORD]; see session.py.
"use strict";

const readline = require("readline");

const connect = {
    "supervisord": (url, user, password) => {
        if (user === undefined)
            return require("supervisord").connect(url);
        const { hostname, port } = new URL(url);
        return require("supervisord").connect({ hostname, port, user, pass: password });
    },
    "node-supervisord": (url, username, password) => {
        const { SupervisordClient } = require("node-supervisord");
        return new SupervisordClient(url, username === undefined ? undefined : { username, password });
    },
};

const [name, url, user, password] = process.argv.slice(2);
const client = connect[name](url, user, password);

// The names with which the client calls, found by having each of its methods make a call that goes nowhere.
function methodsOf(client) {
    const send = client.client.methodCall;
    const names = [];
    client.client.methodCall = (method) => names.push(method);
    for (const short of Object.keys(Object.getPrototypeOf(client)))
        if (!short.startsWith("_"))
            client[short](() => {});
    client.client.methodCall = send;
    return names;
}

function answerOf(error, value) {
    if (!error)
        return { value };
    if (error.faultCode !== undefined)
        return { fault: [error.faultCode, error.faultString] };
    return { error: error.res ? String(error.res.statusCode) : String(error) };
}

async function call(method, args) {
    const short = method.split(".").pop();
    try {
        if (name === "node-supervisord") // answers with promises, the other one with callbacks
            return { value: await client[short](...args) };
        return await new Promise((done) => client[short](...args, (error, value) => done(answerOf(error, value))));
    } catch (error) {
        return answerOf(error);
    }
}

async function main() {
    console.log(JSON.stringify({ methods: methodsOf(client) }));
    for await (const line of readline.createInterface({ input: process.stdin })) {
        const { method, args } = JSON.parse(line);
        console.log(JSON.stringify(await call(method, args)));
    }
    process.exit(0); // connections that are kept alive would hold us
}

main();
