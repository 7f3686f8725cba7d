/** A dump in the shape of the design documents, end to end. */
import { provesRoundTrip } from "../support/round-trip.js";

provesRoundTrip({
  fixture: "design",
  expired: ['redis db_0 "past"', 'redis db_3 "other:past"'],
  damage: {
    database: 3,
    lostKey: "other:audit",
    changedKey: "other:session:0",
    lostItem: {
      table: "invoices",
      key: { customer_id: { S: "customer-7400" }, order_ts: { S: "2026-04-01T00:00:00Z" } },
    },
    lostObject: { bucket: "exports", key: "one-part.bin" },
    changedObject: { bucket: "media", key: "2026/04/20/img_0.jpg" },
    queue: "events-dlq",
  },
});
