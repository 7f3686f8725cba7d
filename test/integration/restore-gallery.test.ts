/** The dump that elastickv's own decoder wrote, end to end. */
import { provesRoundTrip } from "../support/round-trip.js";

provesRoundTrip({
  fixture: "gallery",
  expired: ['redis db_0 "ttl-past"', 'redis db_0 "hash:past"'],
  damage: {
    database: 0,
    lostKey: "list:big",
    changedKey: "greeting",
    lostItem: { table: "orders", key: { customer_id: { S: "__proto__" }, order_ts: { S: "s" } } },
    lostObject: { bucket: "photos", key: "path/to/obj/deeper" },
    changedObject: { bucket: "photos", key: "2026/1/img_1.jpg" },
    queue: "quiet",
  },
});
