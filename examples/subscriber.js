#!/usr/bin/env node
// Prints what a plated station says: recordings, repetitions, verdicts, and what was missed.
// usage: node subscriber.js [ENDPOINT]        needs: npm install zeromq@6
const { Subscriber } = require("zeromq");

const endpoint = process.argv[2] ?? "tcp://127.0.0.1:7460";
const last = new Map(); // run and seq of the last message of each topic
const most = new Map(); // of each plate, since its last rep

// How many messages of this topic were lost before m: seq has no hole where the station sends.
function missed(topic, m) {
  const { run, seq } = last.get(topic) ?? { run: m.run, seq: m.seq - 1 };
  last.set(topic, { run: m.run, seq: m.seq });
  return m.seq - (run === m.run ? seq + 1 : 0); // another run of the station counts from 0
}

// The third frame: float32, rows of channels.
function column(payload, m, name) {
  const samples = new Float32Array(Uint8Array.from(payload).buffer);
  const [, channels] = m.shape, at = m.channels.indexOf(name);
  return samples.filter((_, i) => i % channels === at);
}

// null: the signal does not support it.
function say(value, digits) {
  return value === null ? "-" : value.toFixed(digits);
}

function take(topic, m, payload) {
  const lost = missed(topic, m);
  if (lost) console.log(`missed ${lost} of ${topic}`);
  switch (topic.split("/")[0]) {
    case "force":
      most.set(m.plate, Math.max(most.get(m.plate) ?? 0, ...column(payload, m, "Fz")));
      break;
    case "rep":
      console.log(`${m.plate}: set ${m.set} rep ${m.rep} ${m.side}, drive ${say(m.concentric_s, 3)} s, ` +
        `peak ${say(m.peak_force_N, 2)} N, unfiltered ${say(most.get(m.plate) ?? 0, 2)} N`);
      most.delete(m.plate);
      break;
    case "imbalance":
      console.log(`${m.verdict}: ${m.metric} ${say(m.value_pct, 2)} %`);
      break;
    case "session":
      console.log(`${m.archive} ${m.state}`);
  }
}

async function main() {
  const sub = new Subscriber({ receiveTimeout: 3000 }); // health/ comes once a second
  sub.subscribe("force/", "rep/", "imbalance/", "session/", "health/");
  sub.connect(endpoint); // and again by itself, whenever the station has gone and come back
  for (;;) {
    try {
      const [topic, header, payload] = await sub.receive();
      const m = JSON.parse(header); // t_utc_ns is rounded: it has more digits than a JavaScript number
      if (m.v === 1 && !m.cached) take(topic.toString(), m, payload); // a repeat for late joiners is no event
    } catch (error) {
      if (error.code !== "EAGAIN") throw error;
      console.error(`nothing is heard from ${endpoint}`);
    }
  }
}

main();
