/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The JSON writer. Owns growth, commas, escaping and the spelling of numbers; refuses to know what
 * is written and in which order: balanced begin and end calls are the caller's business.
 */
#include "json.h"

#include "utf8.h"

#include <stdio.h>
#include <string.h>

enum {
	CAPACITY_MIN = 512,
	DIGITS_MAX = 20,      /* UINT64_MAX, or a sign and INT64_MIN */
	ESCAPED_MAX = 6,      /* \u00xx: the most that one byte becomes */
	AROUND_KEY = 4,	      /* comma, two quotes, colon */
	SIZE_LIMIT = 1 << 30, /* one value; beyond it is a mistake, treated as no memory */
};

void json_done(struct json *json)
{
	free(json->text);
	*json = (struct json){ .text = NULL };
}

static bool grow(struct json *json, size_t need)
{
	size_t capacity = json->capacity ? json->capacity : CAPACITY_MIN;
	char *text = NULL;

	if (json->error)
		return false;
	while (capacity - json->length <= need && capacity <= SIZE_MAX / 4)
		capacity *= 2;
	if (need <= SIZE_LIMIT && capacity - json->length > need)
		text = realloc(json->text, capacity);
	if (!text) {
		json->error = -ENOMEM;
		return false;
	}
	json->text = text;
	json->capacity = capacity;
	return true;
}

/* Room for @need bytes and a NUL; false after an error. */
static inline bool reserve(struct json *json, size_t need)
{
	if (!json->error && need < json->capacity - json->length)
		return true;
	return grow(json, need);
}

/*
 * Makes room for a value of at most @size bytes, writes what comes before it and returns where it
 * goes; NULL after an error.
 */
static inline char *value_begin(struct json *json, const char *key, size_t size)
{
	size_t key_length = key ? strlen(key) : 0;
	char *at;

	if (size > SIZE_LIMIT) /* no overflow below; refused with what is around it */
		size = SIZE_LIMIT;
	if (!reserve(json, AROUND_KEY + key_length + size))
		return NULL;
	at = json->text + json->length;
	if (json->comma)
		*at++ = ',';
	if (key) {
		*at++ = '"';
		at = mempcpy(at, key, key_length);
		*at++ = '"';
		*at++ = ':';
	}
	return at;
}

static inline void value_end(struct json *json, char *at, bool comma)
{
	*at = '\0';
	json->length = (size_t)(at - json->text);
	json->comma = comma;
}

static void put(struct json *json, const char *key, const char *text, size_t length, bool comma)
{
	char *at = value_begin(json, key, length);

	if (at)
		value_end(json, mempcpy(at, text, length), comma);
}

char *json_take(struct json *json, size_t *ret_length)
{
	char *text = NULL;
	size_t length = 0;

	if (reserve(json, 0)) {
		text = TAKE_PTR(json->text);
		length = json->length;
		text[length] = '\0';
	}
	json_done(json);
	if (ret_length)
		*ret_length = length;
	return text;
}

void json_object_begin(struct json *json, const char *key)
{
	put(json, key, "{", 1, false);
}

void json_array_begin(struct json *json, const char *key)
{
	put(json, key, "[", 1, false);
}

static void close_level(struct json *json, char bracket)
{
	json->comma = false;
	put(json, NULL, &bracket, 1, true);
}

void json_object_end(struct json *json)
{
	close_level(json, '}');
}

void json_array_end(struct json *json)
{
	close_level(json, ']');
}

void json_null(struct json *json, const char *key)
{
	put(json, key, "null", 4, true);
}

void json_boolean(struct json *json, const char *key, bool value)
{
	put(json, key, value ? "true" : "false", value ? 4 : 5, true);
}

void json_raw(struct json *json, const char *key, const char *text, size_t length)
{
	put(json, key, text, length, true);
}

void json_append(struct json *json, const char *text, size_t length)
{
	if (reserve(json, length < SIZE_LIMIT ? length : SIZE_LIMIT + 1))
		value_end(json, mempcpy(json->text + json->length, text, length), json->comma);
}

/* How many digits it has: by the number of bits one less or just so many. */
static inline unsigned int digits_of(uint64_t value)
{
	static const uint64_t powers[DIGITS_MAX] = {
		0,
		10,
		100,
		1000,
		10000,
		100000,
		1000000,
		10000000,
		100000000,
		1000000000,
		10000000000,
		100000000000,
		1000000000000,
		10000000000000,
		100000000000000,
		1000000000000000,
		10000000000000000,
		100000000000000000,
		1000000000000000000,
		10000000000000000000U,
	};
	/* 1233 / 4096 is the logarithm of 2 to the base of 10, near enough for 64 bits. */
	unsigned int less = (64 - (unsigned int)__builtin_clzll(value | 1)) * 1233 >> 12;

	return less + (value >= powers[less]);
}

/* Two digits per division: half of the divisions are most of the time this takes. */
static inline char *put_decimal(char *at, uint64_t value)
{
	static const char pairs[] = "00010203040506070809101112131415161718192021222324"
				    "25262728293031323334353637383940414243444546474849"
				    "50515253545556575859606162636465666768697071727374"
				    "75767778798081828384858687888990919293949596979899";
	char *end = at + digits_of(value), *to = end;

	while (value >= 100) {
		to -= 2;
		memcpy(to, pairs + value % 100 * 2, 2);
		value /= 100;
	}
	if (value >= 10)
		memcpy(to - 2, pairs + value * 2, 2);
	else
		to[-1] = (char)('0' + value);
	return end;
}

void json_u64(struct json *json, const char *key, uint64_t value)
{
	char *at = value_begin(json, key, DIGITS_MAX);

	if (at)
		value_end(json, put_decimal(at, value), true);
}

char *json_digits(char *at, uint64_t value)
{
	return put_decimal(at, value);
}

struct json_key json_key(const char *name)
{
	struct json_key key = { .name = name };
	int length = snprintf(key.text, sizeof(key.text), ",\"%s\":", name);

	if (length > 0 && (size_t)length < sizeof(key.text))
		key.length = (size_t)length;
	return key;
}

/* More is copied than the key has, because a constant number of bytes is a few instructions. */
void json_u64_by(struct json *json, const struct json_key *key, uint64_t value)
{
	size_t skip = json->comma ? 0 : 1;
	char *at;

	if (!key->length) {
		json_u64(json, key->name, value);
		return;
	}
	if (!reserve(json, sizeof(key->text) + DIGITS_MAX))
		return;
	at = json->text + json->length;
	memcpy(at, key->text + skip, sizeof(key->text) - 1);
	value_end(json, put_decimal(at + key->length - skip, value), true);
}

void json_i64(struct json *json, const char *key, int64_t value)
{
	char *at = value_begin(json, key, DIGITS_MAX);

	if (!at)
		return;
	if (value < 0)
		*at++ = '-';
	value_end(json, put_decimal(at, value < 0 ? -(uint64_t)value : (uint64_t)value), true);
}

/* How a byte is written: 0 as it is, LOOK after a closer look, 'u' \u00xx, else \ and this. */
enum { LOOK = 1 };
/* RFC 8259 allows a raw DEL, sd-json hangs up on it. */
static const unsigned char escapes[256] = {
	[0] = LOOK,   [1 ... 7] = 'u',	     ['\b'] = 'b',	     ['\t'] = 't', ['\n'] = 'n',
	[0x0b] = 'u', ['\f'] = 'f',	     ['\r'] = 'r',	     ['"'] = '"',  ['\\'] = '\\',
	[0x7f] = 'u', [0x0e ... 0x1f] = 'u', [0x80 ... 0xff] = LOOK,
};

static char *put_escape(char *at, unsigned char byte)
{
	static const char hex[] = "0123456789abcdef";

	*at++ = '\\';
	*at++ = (char)escapes[byte];
	if (escapes[byte] == 'u') {
		at = mempcpy(at, "00", 2);
		*at++ = hex[byte >> 4];
		*at++ = hex[byte & 15];
	}
	return at;
}

/* Length of what stands at @text and can be written as it is; 0: it cannot. */
static size_t writable(const unsigned char *text, size_t size)
{
	size_t length = utf8_sequence(text, size);

	return *text && !utf8_is_noncharacter(text, length) ? length : 0;
}

/*
 * Copies the sequence at *@text and steps over it. A byte that starts none becomes U+FFFD, and so
 * do NUL and noncharacters: they are valid UTF-8, but sd-json refuses the whole message for one of
 * them, raw or escaped, and any user can have one in a file name.
 */
static char *put_utf8(char *at, const unsigned char **text, size_t size)
{
	size_t length = utf8_sequence(*text, size);

	if (writable(*text, size))
		at = mempcpy(at, *text, length);
	else
		at = mempcpy(at, "\xef\xbf\xbd", 3);
	*text += length > 0 ? length : 1;
	return at;
}

void json_string_n(struct json *json, const char *key, const char *text, size_t length)
{
	const unsigned char *byte = (const unsigned char *)text, *end;
	char *at;

	at = value_begin(json, key,
			 length < SIZE_LIMIT / 8 ? ESCAPED_MAX * length + 2 : SIZE_LIMIT);
	if (!at)
		return;
	end = byte + length;
	*at++ = '"';
	while (byte < end) {
		const unsigned char *run = byte;

		while (byte < end && !escapes[*byte])
			byte++;
		at = mempcpy(at, run, (size_t)(byte - run));
		if (byte == end)
			break;
		if (escapes[*byte] == LOOK)
			at = put_utf8(at, &byte, (size_t)(end - byte));
		else
			at = put_escape(at, *byte++);
	}
	*at++ = '"';
	value_end(json, at, true);
}

void json_string(struct json *json, const char *key, const char *text)
{
	json_string_n(json, key, text, strlen(text));
}

void json_base64(struct json *json, const char *key, const char *text, size_t size)
{
	const unsigned char *bytes = (const unsigned char *)text;
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				     "0123456789+/";
	char *at = value_begin(json, key, size < SIZE_LIMIT / 2 ? size / 3 * 4 + 6 : SIZE_LIMIT);

	if (!at)
		return;
	*at++ = '"';
	for (size_t i = 0; i < size; i += 3) {
		uint32_t group = (uint32_t)bytes[i] << 16;

		if (i + 1 < size)
			group |= (uint32_t)bytes[i + 1] << 8;
		if (i + 2 < size)
			group |= bytes[i + 2];
		*at++ = digits[group >> 18];
		*at++ = digits[group >> 12 & 63];
		*at++ = (char)(i + 1 < size ? digits[group >> 6 & 63] : '=');
		*at++ = (char)(i + 2 < size ? digits[group & 63] : '=');
	}
	*at++ = '"';
	value_end(json, at, true);
}

bool json_is_text(const char *text, size_t size)
{
	const unsigned char *bytes = (const unsigned char *)text;
	size_t done = 0, length;

	while (done < size) {
		if (escapes[bytes[done]] != LOOK)
			length = 1;
		else
			length = writable(bytes + done, size - done);
		if (!length)
			return false;
		done += length;
	}
	return true;
}

void json_bytes_n(struct json *json, const char *key, const char *bytes_key, const char *text,
		  size_t length)
{
	json_string_n(json, key, text, length);
	if (!json_is_text(text, length))
		json_base64(json, bytes_key, text, length);
}

void json_bytes(struct json *json, const char *key, const char *bytes_key, const char *text)
{
	json_bytes_n(json, key, bytes_key, text, strlen(text));
}
