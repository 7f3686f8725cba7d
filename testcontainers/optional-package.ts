/** npm packages that only some ways of having a server need: whoever has the others does not install them. */

/** @throws Error that names the package when it is not installed; what else goes wrong, as it is */
export async function optionalPackage<T>(name: string, load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (error) {
    const isMissing = error instanceof Error && "code" in error && error.code === "ERR_MODULE_NOT_FOUND";
    if (!isMissing || !error.message.includes(`'${name}'`)) throw error;
    throw new Error(`the npm package ${name} is not installed (npm install ${name})`);
  }
}
