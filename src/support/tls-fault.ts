/** What the TLS errors of Node's sockets mean and what helps, in words for people. Of a certificate only its fault. */

export interface TlsFault {
  /** Lower case, for the middle of a sentence. */
  readonly why: string;
  /** A sentence. */
  readonly hint: string;
}

interface Words {
  /** How an endpoint without TLS begins: `http://`. */
  readonly plain: string;
  /** How further authorities are named: `NODE_EXTRA_CA_CERTS`. */
  readonly authorities: string;
  /** How a certificate of the client is given; absent where it cannot be. */
  readonly clientCertificate?: string;
}

const TLS = /^(?:CERT_|ERR_TLS_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|HOSTNAME_MISMATCH|EPROTO$|ERR_SSL_)/;
const UNTRUSTED = /^(?:DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|CERT_UNTRUSTED|CERT_SIGNATURE_FAILURE)/;
const OTHER_NAME = /ALTNAME_INVALID|HOSTNAME_MISMATCH/;
const NO_TLS = /^EPROTO$|WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|UNKNOWN_PROTOCOL|HTTP_REQUEST/;
/** Older protocols have no alert of their own for it. */
const WANTS_CERTIFICATE = /CERTIFICATE_REQUIRED|HANDSHAKE_FAILURE/;

/** `code`: a system error's code. Undefined where it does not come from TLS. */
export function tlsFault(code: string, { plain, authorities, clientCertificate }: Words): TlsFault | undefined {
  if (!TLS.test(code)) return undefined;
  if (code === "CERT_HAS_EXPIRED") {
    return {
      why: "its certificate has expired",
      hint: "Renew the server's certificate, or check this machine's clock.",
    };
  }
  if (code === "CERT_NOT_YET_VALID") {
    return { why: "its certificate is not valid yet", hint: "Check the clock of this machine and the certificate." };
  }
  if (OTHER_NAME.test(code)) {
    return {
      why: "its certificate is for another host name",
      hint: "Name the server as its certificate does, or give it a certificate with this name or address.",
    };
  }
  if (UNTRUSTED.test(code)) {
    return {
      why: "its certificate comes from no authority that is trusted here",
      hint: `Name a file with the authority's certificate: ${authorities}.`,
    };
  }
  if (WANTS_CERTIFICATE.test(code)) {
    return {
      why: "it wants a certificate of the client, or another TLS version",
      hint: `${clientCertificate ?? "Client certificates are not supported"}.`,
    };
  }
  if (NO_TLS.test(code)) {
    return {
      why: "what answers there is no TLS",
      hint: `If the server has no TLS, its endpoint begins with ${plain}.`,
    };
  }
  return { why: "TLS failed", hint: `Check the endpoint's scheme and certificate; authorities: ${authorities}.` };
}
