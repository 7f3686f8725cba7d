import { describe, expect, it } from "vitest";
import { secretsOf, withoutSecrets } from "../../../../src/run/drill/secrets.js";

describe("secrets in what a command says", () => {
  it("are those of the targets and of variables whose names tell it", () => {
    const targets = {
      s3: {
        endpoint: { url: "http://h" },
        origin: "",
        credentials: { accessKeyId: "id", secretAccessKey: "s3-secret", sessionToken: "session-1" },
      },
      redis: { url: "redis://h", origin: "", access: { password: "redis-pass" } },
    };
    const env = { DB_PASSWORD: "hunter22", GITHUB_TOKEN: "token-12", HOME: "/home/me", SHORT_SECRET: "abc" };
    const secrets = secretsOf(targets, env);
    const said = "s3-secret session-1 redis-pass hunter22 token-12 /home/me abc";
    expect(withoutSecrets(said, secrets)).toBe(`${Array(5).fill("[redacted]").join(" ")} /home/me abc`);
  });

  it("are hidden whole when one of them begins like another", () => {
    const secrets = secretsOf({}, { A_TOKEN: "secret", B_TOKEN: "secret-and-more" });
    expect(withoutSecrets("secret-and-more", secrets)).toBe("[redacted]");
  });

  it("are hidden in addresses whoever they belong to", () => {
    expect(withoutSecrets("redis://user:pa55@host/0 and http://host:80/a@b", [])).toBe(
      "redis://user:[redacted]@host/0 and http://host:80/a@b",
    );
  });
});
