/** Which methods a path takes: a router alone knows only that it has no such pair. */

export type RouteTable = { readonly url: string; readonly methods: readonly string[] }[];

export function methodsAt(routes: RouteTable, url: string): string[] {
  const path = url.split("?", 1)[0] ?? "";
  return [...new Set(routes.filter((route) => patternOf(route.url).test(path)).flatMap(({ methods }) => methods))];
}

/** `/v1/jobs/:id` */
function patternOf(url: string): RegExp {
  const parts = url.split("/").map((part) => (part.startsWith(":") ? "[^/]+" : part.replaceAll(/\W/g, "\\$&")));
  return new RegExp(`^${parts.join("/")}$`);
}
