/** What is wrong with a value that a schema refused, a sentence for each place. Values are not quoted: one may be secret. */
import type * as z from "zod";

export interface SchemaFault {
  /** Where it stands, from the outermost value on. */
  readonly path: readonly PropertyKey[];
  /** Lower case, without the place. */
  readonly message: string;
}

type Issue = z.core.$ZodIssue;

export function schemaFaults(error: z.core.$ZodError): SchemaFault[] {
  return error.issues.flatMap((issue) => faultsOf(issue, []));
}

/** `body.options.mode: …`; `whole`: what the outermost value is called, empty where it needs no name. */
export function schemaFaultText({ path, message }: SchemaFault, whole: string): string {
  const place = [whole, ...path.map(String)].filter((part) => part !== "").join(".");
  return place === "" ? message : `${place}: ${message}`;
}

function faultsOf(issue: Issue, above: readonly PropertyKey[]): SchemaFault[] {
  const path = [...above, ...issue.path];
  switch (issue.code) {
    case "unrecognized_keys":
      return issue.keys.map((key) => ({ path: [...path, key], message: "nothing of this name can stand here" }));
    case "invalid_union":
      return unionFaults(issue.errors, path);
    case "invalid_key":
    case "invalid_element":
      return issue.issues.flatMap((inner) => faultsOf(inner, path));
    default:
      return [{ path, message: worded(issue.message) }];
  }
}

/** Of several forms, those of the one that was most likely meant. */
function unionFaults(forms: readonly (readonly Issue[])[], path: readonly PropertyKey[]): SchemaFault[] {
  const told = forms.map((issues) => ({ issues, apart: issues.find(tellsApart) }));
  const others = told.flatMap(({ apart }) => (apart === undefined ? [] : [apart]));
  const [first] = others;
  if (first !== undefined && others.length === forms.length) {
    const words = [...new Set(others.flatMap((issue) => (issue.code === "invalid_value" ? issue.values : [])))];
    return [{ path: [...path, ...first.path], message: `expected one of ${words.map(String).join(", ")}` }];
  }
  const [likeliest] = told.filter(({ apart }) => apart === undefined).sort((a, b) => a.issues.length - b.issues.length);
  if (likeliest === undefined || likeliest.issues.some(isWholeValue)) {
    return [{ path, message: "it has none of the forms that can stand here" }];
  }
  return likeliest.issues.flatMap((issue) => faultsOf(issue, path));
}

/** Another word than the one that this form has: `kind`. */
function tellsApart({ code, path }: Issue): boolean {
  return code === "invalid_value" && path.length === 1;
}

function isWholeValue({ code, path }: Issue): boolean {
  return path.length === 0 && code === "invalid_type";
}

function worded(message: string): string {
  const text = message.replace(/^Invalid input: /, "");
  return `${text.slice(0, 1).toLowerCase()}${text.slice(1)}`;
}
