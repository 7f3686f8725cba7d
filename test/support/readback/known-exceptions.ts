/** What the servers of the tests cannot show or take, by name. Each has to occur where it is claimed. */
import type { Expected } from "./expected.js";
import type { Exception } from "./state.js";

const NOT_SHOWN = ["MessageRetentionPeriod", "MaximumMessageSize"];

/** ElasticMQ takes two attributes without showing them ever after, and refuses a third. */
export function elasticMqExceptions(expected: Expected): Exception[] {
  return expected.sqs.flatMap(({ name, attributes }) => {
    const exception = (facet: string, reason: string) => ({ record: `sqs ${name}`, facet, reason });
    return [
      ...NOT_SHOWN.filter((facet) => facet in attributes).map((facet) => exception(facet, "the server never shows it")),
      ...("RedriveAllowPolicy" in attributes ? [exception("RedriveAllowPolicy", "the server refuses it")] : []),
    ];
  });
}
