/**
 * How a target keeps text outside ASCII, tried on a small object of its own that is deleted again: such text is too rare
 * to look up each object that has it, and a wrong guess would change an object that stands there.
 */
import type { S3Api } from "./api.js";
import { encodeWords, type HeaderRules, sameText, type TextForm, USER_PREFIX } from "./metadata.js";

const SAMPLE = "ü ファイル 😀";
export const EMPTY_SHA256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/** White space that servers fold before they verify a signature, or do not. */
const WIDE_SPACE_SAMPLE = "ü\u3000ファイル\u00a0ü";

export type TextForms = Pick<HeaderRules, "userText" | "headerText" | "takesWideSpace">;

/** Writes and deletes one object under `key` in the bucket. Sets how the wire signs wide white space. Repeatable. */
export async function learnTextForms(api: S3Api, bucket: string, key: string): Promise<TextForms> {
  const name = { bucket, key };
  const keeps = async (header: string, sent: string, wanted = SAMPLE): Promise<boolean> => {
    try {
      const init = { headers: { [header]: sent }, ifAbsent: false, sha256: EMPTY_SHA256, bytes: 0 };
      const { versionId } = await api.putObject(name, init, () => Buffer.alloc(0));
      const held = await api.headObject(name);
      await api.deleteObject(name, versionId);
      return sameText(wanted, held?.headers[header]);
    } catch (error) {
      if (api.isRefusal(error)) return false;
      throw error;
    }
  };
  const userHeader = `${USER_PREFIX}text`;
  const forms: readonly (readonly [TextForm, string])[] = [
    ["raw", SAMPLE],
    ["encoded", encodeWords(SAMPLE)],
  ];
  let userText: TextForm = "none";
  for (const [form, sent] of forms) {
    if (userText === "none" && (await keeps(userHeader, sent))) userText = form;
  }
  const headerText = (await keeps("content-disposition", SAMPLE)) ? ("raw" as const) : ("none" as const);
  if (userText !== "raw") return { userText, headerText, takesWideSpace: headerText === "none" };
  let takesWideSpace = false;
  for (const folds of [false, true]) {
    if (takesWideSpace) break;
    api.wire.foldsWideSpace = folds;
    takesWideSpace = await keeps(userHeader, WIDE_SPACE_SAMPLE, WIDE_SPACE_SAMPLE);
  }
  return { userText, headerText, takesWideSpace };
}
