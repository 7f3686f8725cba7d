/** What the daemon's OpenAPI document says, as checks of what was really asked and answered. */
import * as z from "zod";

type Json = Record<string, unknown>;

interface Operation {
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: Json }>> };
  readonly responses: Readonly<
    Record<string, { readonly content?: Readonly<Record<string, { readonly schema: Json }>> }>
  >;
}

export interface OpenApiDocument {
  readonly openapi: string;
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Json };
}

export interface Published {
  readonly document: OpenApiDocument;
  /** The operation of a real request; undefined where the document has none. */
  operation(method: string, url: string): Operation | undefined;
  /** @throws where an answer to a described request is not as it is described */
  assertDescribed(
    asked: { method: string; url: string },
    answer: { status: number; type: string; json: unknown },
  ): void;
  /** Whether a body is one that the document describes. */
  takes(method: string, url: string, body: unknown): boolean;
}

export function published(document: OpenApiDocument): Published {
  const known = new Map<object, z.ZodType>();
  const schemaOf = (schema: Json): z.ZodType => {
    const made =
      known.get(schema) ?? z.fromJSONSchema(rooted({ ...schema, $defs: document.components.schemas }) as never);
    known.set(schema, made);
    return made;
  };
  const operation = (method: string, url: string) => {
    const path = url.split("?", 1)[0] ?? "";
    const found = Object.keys(document.paths).find((each) => patternOf(each).test(path));
    return found === undefined ? undefined : document.paths[found]?.[method.toLowerCase()];
  };
  return {
    document,
    operation,
    assertDescribed: ({ method, url }, { status, type, json }) => {
      const described = operation(method, url);
      if (described === undefined) return;
      const answer = described.responses[status];
      if (answer === undefined) throw new Error(`${method} ${url} answers ${status}, which is described nowhere`);
      const [media = ""] = type.split(";", 1);
      if (answer.content === undefined && media === "") return;
      const schema = answer.content?.[media]?.schema;
      if (schema === undefined)
        throw new Error(`${method} ${url} answers ${status} as "${media}", which is described nowhere`);
      if (json === undefined) return;
      const result = schemaOf(schema).safeParse(json);
      if (!result.success)
        throw new Error(`${method} ${url} answers ${status} otherwise than described: ${result.error}`);
    },
    takes: (method, url, body) => {
      const schema = operation(method, url)?.requestBody?.content["application/json"]?.schema;
      if (schema === undefined) throw new Error(`${method} ${url} takes no body`);
      return schemaOf(schema).safeParse(body).success;
    },
  };
}

/** With references that lead below it. */
function rooted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(rooted);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [
      name,
      name === "$ref" && typeof member === "string"
        ? member.replace("#/components/schemas/", "#/$defs/")
        : rooted(member),
    ]),
  );
}

function patternOf(path: string): RegExp {
  return new RegExp(`^${path.replaceAll(/[.*+?^$()|[\]\\]/g, "\\$&").replaceAll(/\{\w+\}/g, "[^/]+")}$`);
}
