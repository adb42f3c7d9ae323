/*
 * Network addresses as they stand in a configuration. Pure: no name is looked up.
 */
#include "config/address.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define MAPPED_BITS 96 /* IPv4 is held as ::ffff:a.b.c.d */
#define PREFIX_DIGITS 3

static bool parse_address(const char *text, uint8_t out[16], unsigned int *family_bits)
{
	static const uint8_t mapped[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };

	*family_bits = 32;
	memcpy(out, mapped, sizeof(mapped));
	if (inet_pton(AF_INET, text, out + sizeof(mapped)) == 1)
		return true;
	*family_bits = 128;
	return inet_pton(AF_INET6, text, out) == 1;
}

static bool parse_prefix(const char *text, unsigned int most, unsigned int *out)
{
	size_t len = strspn(text, "0123456789");

	if (len == 0 || len > PREFIX_DIGITS || text[len] != '\0')
		return false;
	*out = (unsigned int)strtoul(text, NULL, 10);
	return *out <= most;
}

/* Clears what stands beyond the prefix; true when there was something. */
static bool cut_to_prefix(uint8_t address[16], unsigned int bits)
{
	bool cut = false;

	for (unsigned int i = 0; i < 16; i++) {
		unsigned int keep = bits > 8 * i ? bits - 8 * i : 0;
		uint8_t mask = (uint8_t)(keep >= 8 ? 0xffu : 0xff00u >> keep);

		cut = cut || (address[i] & ~mask) != 0;
		address[i] &= mask;
	}
	return cut;
}

bool address_parse_range(const char *text, struct rules_range *out, struct message *message)
{
	char address[INET6_ADDRSTRLEN + 1];
	size_t len = strcspn(text, "/");
	unsigned int family_bits, bits;

	memset(out, 0, sizeof(*out));
	if (len >= sizeof(address))
		goto fail;
	memcpy(address, text, len);
	address[len] = '\0';
	if (!parse_address(address, out->address, &family_bits))
		goto fail;
	bits = family_bits;
	if (text[len] == '/' && !parse_prefix(text + len + 1, family_bits, &bits))
		goto fail;
	out->prefix_bits = (uint8_t)(family_bits == 32 ? bits + MAPPED_BITS : bits);
	if (cut_to_prefix(out->address, out->prefix_bits)) {
		inet_ntop(family_bits == 32 ? AF_INET : AF_INET6,
			  family_bits == 32 ? out->address + 12 : out->address, address,
			  sizeof(address));
		message_set(message, TTG_EFORMAT,
			    "the range goes beyond its prefix, must be \"%s/%u\"", address, bits);
		return false;
	}
	return true;
fail:
	message_set(message, TTG_EFORMAT,
		    "not an address range, must be for example \"192.0.2.0/24\" or \"2001:db8::/32\"");
	return false;
}

bool address_is_loopback(const char *text)
{
	static const uint8_t one[16] = { [15] = 1 };
	uint8_t address[16];
	unsigned int family_bits;

	if (!parse_address(text, address, &family_bits))
		return false;
	return family_bits == 32 ? address[12] == 127 : memcmp(address, one, sizeof(one)) == 0;
}

static bool is_port(const char *text)
{
	size_t len = strspn(text, "0123456789");

	if (strcmp(text, "*") == 0)
		return true;
	return len > 0 && len <= 5 && text[len] == '\0' && strtoul(text, NULL, 10) <= 65535;
}

bool address_is_endpoint(const char *text)
{
	static const char scheme[] = "tcp://";
	const char *host = text + strlen(scheme), *port;
	size_t len;

	if (strncmp(text, scheme, strlen(scheme)) != 0)
		return false;
	port = strrchr(host, ':');
	if (port == NULL || port == host || !is_port(port + 1))
		return false;
	len = (size_t)(port - host);
	if (host[0] == '[') {
		char address[INET6_ADDRSTRLEN + 1];
		uint8_t binary[16];

		if (len < 3 || len - 2 >= sizeof(address) || host[len - 1] != ']')
			return false;
		memcpy(address, host + 1, len - 2);
		address[len - 2] = '\0';
		return inet_pton(AF_INET6, address, binary) == 1;
	}
	for (size_t i = 0; i < len; i++)
		if (!isalnum((unsigned char)host[i]) && strchr(".-*_", host[i]) == NULL)
			return false;
	return true;
}
