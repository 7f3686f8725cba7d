import { describe, expect, it } from "vitest";
import { samePolicy } from "../../../../src/replayers/s3/same-policy.js";

const statement = {
  Sid: "read",
  Effect: "Allow",
  Principal: "*",
  Action: "s3:GetObject",
  Resource: ["arn:aws:s3:::b/x*", "arn:aws:s3:::b/y*"],
};
const policy = (...Statement: readonly unknown[]) => JSON.stringify({ Version: "2012-10-17", Id: "p", Statement });
const own = policy(statement);

describe("a policy", () => {
  it.each([
    ["in another order", JSON.stringify({ Statement: [statement], Version: "2012-10-17" })],
    ["with lists of one", policy({ ...statement, Action: ["s3:GetObject"] })],
    ["with a statement that is no list", JSON.stringify({ Version: "2012-10-17", Statement: statement })],
    ["with everybody written out", policy({ ...statement, Principal: { AWS: ["*"] } })],
    ["with its resources turned round", policy({ ...statement, Resource: [...statement.Resource].reverse() })],
    ["under another name", policy({ ...statement, Sid: "" })],
  ])("%s is the same", (_what, held) => expect(samePolicy(own, held)).toBe(true));

  it.each([
    ["with another effect", policy({ ...statement, Effect: "Deny" })],
    ["with an action more", policy({ ...statement, Action: ["s3:GetObject", "s3:PutObject"] })],
    ["with a resource less", policy({ ...statement, Resource: statement.Resource[0] })],
    ["for somebody", policy({ ...statement, Principal: { AWS: "arn:aws:iam::1:root" } })],
    ["under a condition", policy({ ...statement, Condition: { Bool: { "aws:SecureTransport": "true" } } })],
    ["with a statement more", policy(statement, { ...statement, Effect: "Deny" })],
    ["that is no JSON", "{"],
  ])("%s is another one", (_what, held) => expect(samePolicy(own, held)).toBe(false));

  it("is another one than none", () => expect(samePolicy(own, undefined)).toBe(false));
});
