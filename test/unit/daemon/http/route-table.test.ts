import { expect, it } from "vitest";
import { methodsAt } from "../../../../src/daemon/http/route-table.js";

const ROUTES = [
  { url: "/v1/jobs", methods: ["GET"] },
  { url: "/v1/jobs", methods: ["POST"] },
  { url: "/v1/jobs/:id/events", methods: ["GET"] },
  { url: "/openapi.json", methods: ["GET"] },
];

it.each([
  ["/v1/jobs", ["GET", "POST"]],
  ["/v1/jobs?x=1", ["GET", "POST"]],
  ["/v1/jobs/abc/events", ["GET"]],
  ["/v1/jobs/abc/def/events", []],
  ["/v1/jobs//events", []],
  ["/openapiXjson", []],
  ["/", []],
])("%s takes %j", (url, methods) => {
  expect(methodsAt(ROUTES, url)).toEqual(methods);
});
