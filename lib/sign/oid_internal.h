/* Object identifiers, as the contents of their DER element. */
#ifndef INGOT_SIGN_OID_INTERNAL_H
#define INGOT_SIGN_OID_INTERNAL_H

#define OID_SIGNED_DATA	   "\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02" /* PKCS#7 (RFC 2315, 14) */
#define OID_DATA	   "\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01"
#define OID_CONTENT_TYPE   "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x03" /* PKCS#9 (RFC 2985, 5.3) */
#define OID_MESSAGE_DIGEST "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x04"
#define OID_SHA256	   "\x60\x86\x48\x01\x65\x03\x04\x02\x01"
#define OID_RSA		   "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01" /* RFC 8017, A.1 */
#define OID_RSA_SHA256	   "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b"
#define OID_ECDSA_SHA256   "\x2a\x86\x48\xce\x3d\x04\x03\x02" /* RFC 5758, 3.2 */
/* Windows Authenticode Portable Executable Signature Format */
#define OID_SPC_INDIRECT_DATA "\x2b\x06\x01\x04\x01\x82\x37\x02\x01\x04"
#define OID_SPC_PE_IMAGE_DATA "\x2b\x06\x01\x04\x01\x82\x37\x02\x01\x0f"

#define OID_SIZE(oid)	      (sizeof(oid) - 1)
#define DER_PUT_OID(der, oid) der_put((der), DER_OID, (oid), OID_SIZE(oid))
#define DER_IS_OID(view, oid) der_equal((view), (oid), OID_SIZE(oid))

#endif
