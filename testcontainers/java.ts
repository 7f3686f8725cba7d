/** Servers that are Java programs: their jars from Maven into the cache, run with a small heap. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";

import { installOnce, needCommand, run } from "./cache.js";
import type { InstallOptions } from "./recipe.js";

export const JAVA_NEEDS = "Java 17 and, for the first time, Maven";

/** Enough for tests, little enough for several at once. Serial collection: no threads for a heap this small. */
export const SMALL_HEAP = ["-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"] as const;

/** For a server that keeps gigabytes in memory; with the small heap's settings it would be slow. */
export function largeHeap(bytes: number): readonly string[] {
  return [`-Xmx${Math.ceil(bytes / 1_048_576)}m`, "-XX:+UseParallelGC"];
}

const COPY_DEPENDENCIES = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies";

export interface MavenArtifact {
  readonly group: string;
  readonly artifact: string;
  readonly version: string;
}

/** The directory that holds the artifact's jar and all that it depends on. */
export async function installJars(name: string, wanted: MavenArtifact, options?: InstallOptions): Promise<string> {
  await needCommand("java", "default-jre-headless", options);
  return await installOnce(name, wanted.version, async (directory) => {
    const maven = await needCommand("mvn", "maven", options);
    const pom = join(directory, "pom.xml");
    await writeFile(pom, pomFor(wanted));
    await run(maven, [
      "-q",
      "-B",
      "-f",
      pom,
      COPY_DEPENDENCIES,
      "-DincludeScope=runtime",
      `-DoutputDirectory=${directory}`,
    ]);
  });
}

function pomFor(wanted: MavenArtifact): string {
  return [
    '<project xmlns="http://maven.apache.org/POM/4.0.0">',
    "<modelVersion>4.0.0</modelVersion>",
    "<groupId>local</groupId><artifactId>server</artifactId><version>1</version>",
    "<dependencies><dependency>",
    `<groupId>${wanted.group}</groupId><artifactId>${wanted.artifact}</artifactId><version>${wanted.version}</version>`,
    "</dependency></dependencies>",
    "</project>",
  ].join("\n");
}
