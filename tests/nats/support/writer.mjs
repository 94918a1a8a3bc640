// Writes documents until it is killed, and says on standard output what it begins to write and what was acknowledged:
// {"what":"try"|"acked","documents":[[id, version], ...]}. Ids come again, with later versions.
import { connect } from "@nats-io/transport-node";
import { connectCollection } from "vicinal/nats";

const [port, prefix, dimensions] = process.argv.slice(2);
const nc = await connect({ port: Number(port), maxReconnectAttempts: -1, reconnectTimeWait: 50 });
const docs = await connectCollection(nc, "docs", { writeWithin: 60_000 });
const say = (what, documents) => process.stdout.write(`${JSON.stringify({ what, documents })}\n`);
const vectorOf = (n) => Float32Array.from({ length: Number(dimensions) }, (_, i) => Math.sin(n * 7 + i));

async function write(writer) {
  for (let version = 1; ; version++) {
    const documents = Array.from({ length: 1 + (version % 5) }, (_, i) => [
      `${prefix}-${writer}-${(version * 3 + i) % 40}`,
      version,
    ]);
    say("try", documents);
    await docs.upsert(documents.map(([id, version]) => ({ id, vector: vectorOf(version), data: { version } })));
    say("acked", documents);
  }
}
await Promise.all([0, 1, 2, 3].map(write));
