/** The words of this folder: what a server is, and how each of them is described. Types and one constant. */

export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

export type ServerName = "redis" | "dynamodb-local" | "minio" | "elasticmq";

export interface Access {
  readonly endpoint: string;
  readonly credentials?: Credentials;
}

export interface RunningServer extends Access {
  readonly name: ServerName;
  /** `http://…`, or `redis://127.0.0.1:port`. */
  readonly endpoint: string;
  readonly how: "environment" | "docker" | "native" | "in-process";
  /** What the server calls its version, or the version that was asked for. */
  readonly version?: string;
  /** Resolves when a process of this machine ends before `stop` was called: how, and what it said last. */
  readonly ended?: Promise<string>;
  /** May be called twice. Does nothing to a server that the environment named. */
  stop(): Promise<void>;
}

/** What there is of a server that was started, for whoever ends it should this process be killed. */
export type StartedServer =
  /** `process` leads a group; `data` is the folder that goes with it. */
  { readonly process: number; readonly data: string } | { readonly container: string };

/** How a server may be started, where the environment names none. */
export interface StartOptions extends InstallOptions {
  /** Data of processes goes into folders in here. Default: the folder for temporary files. */
  readonly dataRoot?: string;
  /** Told of each process and container that was started. It is waited for before anything else is done with the server. */
  readonly onStart?: (started: StartedServer) => Promise<void>;
}

export interface InstallOptions {
  /** Whether missing packages of the operating system may be installed. Default: yes. */
  readonly systemPackages?: boolean;
}

export interface DockerRecipe {
  readonly image: string;
  readonly port: number;
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
}

export interface Launch {
  readonly command: string;
  readonly args: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
}

export interface NativeRecipe {
  /** What has to be there for an installation, for people. */
  readonly needs: string;
  /** Makes the server runnable and says where it is. Cheap when that was done before; may run in two processes. */
  install(options?: InstallOptions): Promise<string>;
  /** `data` is an empty directory of the server's own. May write files there. */
  launch(installed: string, port: number, data: string): Launch | Promise<Launch>;
}

export interface ServerRecipe {
  readonly name: ServerName;
  /** The environment variable that names a running server. */
  readonly variable: string;
  /** Used wherever this module starts the server itself. */
  readonly credentials?: Credentials;
  readonly version: string;
  readonly protocol: "http" | "redis";
  /** Asks the server something harmless. Returns its version when it tells it; throws when it is not ready. */
  ask(access: Access): Promise<string | undefined>;
  readonly docker: DockerRecipe;
  readonly native: NativeRecipe;
}

/** One pair for every server: DynamoDB Local takes letters and digits only, MinIO at least eight characters. */
export const LOCAL_CREDENTIALS: Credentials = {
  accessKeyId: "elastickvlocal",
  secretAccessKey: "elastickvlocalsecret",
};
