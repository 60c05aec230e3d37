/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Owns the bytes of a stream until they are taken as messages, and decides what a valid message
 * is. Knows no method and no socket.
 */
#include "message.h"

#include "utf8.h"

#include <json-c/json_visit.h>
#include <limits.h>
#include <string.h>

enum {
	CAPACITY_MIN = 4096,
	NESTING_MAX = 1024, /* whatever the caller allows */
};

/* --- the buffer -------------------------------------------------------------------------------- */

void message_buffer_done(struct message_buffer *buffer)
{
	free(buffer->data);
	*buffer = (struct message_buffer){ .max = buffer->max };
}

/* Moves what is waiting to the front. */
static void compact(struct message_buffer *buffer)
{
	memmove(buffer->data, buffer->data + buffer->start, buffer->end - buffer->start);
	buffer->end -= buffer->start;
	buffer->scanned -= buffer->start;
	buffer->start = 0;
}

/* A message of @max bytes and its NUL are the most that is ever held. */
static int grow(struct message_buffer *buffer)
{
	size_t capacity = buffer->capacity ? buffer->capacity * 2 : CAPACITY_MIN;
	char *data;

	if (capacity > buffer->max)
		capacity = buffer->max + 1;
	data = realloc(buffer->data, capacity);
	if (!data)
		return -ENOMEM;
	buffer->data = data;
	buffer->capacity = capacity;
	return 0;
}

int message_buffer_reserve(struct message_buffer *buffer, char **ret_space, size_t *ret_size)
{
	int r;

	if (buffer->end - buffer->start > buffer->max)
		return -EMSGSIZE;
	/*
	 * Compacting moves at most as much as was taken since the last time, or, once the buffer
	 * cannot grow, happens once per message: a byte is moved a bounded number of times.
	 */
	if (buffer->end == buffer->capacity && buffer->start > 0 &&
	    (buffer->start >= buffer->capacity / 2 || buffer->capacity > buffer->max))
		compact(buffer);
	if (buffer->end == buffer->capacity) {
		r = grow(buffer);
		if (r < 0)
			return r;
	}
	*ret_space = buffer->data + buffer->end;
	*ret_size = buffer->capacity - buffer->end;
	return 0;
}

void message_buffer_commit(struct message_buffer *buffer, size_t size)
{
	buffer->end += size;
}

int message_buffer_next(struct message_buffer *buffer, char **ret_text, size_t *ret_length)
{
	char *text, *nul = NULL;
	size_t length;

	if (buffer->start == buffer->end) {
		message_buffer_done(buffer);
		return 0;
	}
	text = buffer->data + buffer->start;
	if (buffer->scanned < buffer->end)
		nul = memchr(buffer->data + buffer->scanned, '\0', buffer->end - buffer->scanned);
	if (!nul) {
		buffer->scanned = buffer->end;
		return 0;
	}
	length = (size_t)(nul - text);
	if (length > buffer->max)
		return -EMSGSIZE;
	buffer->start += length + 1;
	buffer->scanned = buffer->start;
	*ret_text = text;
	*ret_length = length;
	return 1;
}

bool message_buffer_partial(const struct message_buffer *buffer)
{
	return buffer->end > buffer->start && buffer->data[buffer->end - 1] != '\0';
}

/* --- the check --------------------------------------------------------------------------------- */

/* What may come next, white space apart. */
enum expect {
	VALUE,
	VALUE_OR_END, /* after [ */
	KEY,
	KEY_OR_END, /* after { */
	COLON,
	COMMA_OR_END,
	NOTHING,
};

struct checker {
	const unsigned char *at, *end;
	enum expect expect;
	unsigned int depth, max_depth;
	uint64_t objects[NESTING_MAX / 64]; /* one bit per level: an object, not an array */
	size_t members;			    /* of all objects */
};

/* The next byte; 0, which is valid nowhere, at the end. */
static unsigned char peek(const struct checker *checker)
{
	return checker->at < checker->end ? *checker->at : 0;
}

static bool take(struct checker *checker, unsigned char byte)
{
	if (peek(checker) != byte)
		return false;
	checker->at++;
	return true;
}

static bool take_digits(struct checker *checker)
{
	const unsigned char *first = checker->at;

	while (peek(checker) >= '0' && peek(checker) <= '9')
		checker->at++;
	return checker->at > first;
}

static bool in_object(const struct checker *checker)
{
	unsigned int level = checker->depth - 1;

	return checker->objects[level / 64] >> level % 64 & 1;
}

static bool push(struct checker *checker, bool object)
{
	uint64_t bit = UINT64_C(1) << checker->depth % 64;
	uint64_t *word = &checker->objects[checker->depth / 64];

	if (checker->depth >= checker->max_depth)
		return false;
	*word = object ? *word | bit : *word & ~bit;
	checker->depth++;
	checker->expect = object ? KEY_OR_END : VALUE_OR_END;
	return true;
}

static void value_done(struct checker *checker)
{
	checker->expect = checker->depth > 0 ? COMMA_OR_END : NOTHING;
}

static bool pop(struct checker *checker, unsigned char bracket)
{
	if (bracket != (in_object(checker) ? '}' : ']'))
		return false;
	checker->at++;
	checker->depth--;
	value_done(checker);
	return true;
}

/* Whether the digits, without leading zeros, are an int64 (with a minus) or a uint64. */
static bool integer_fits(const unsigned char *digit, const unsigned char *end, bool negative)
{
	uint64_t value = 0;

	for (; digit < end; digit++) {
		if (__builtin_mul_overflow(value, UINT64_C(10), &value) ||
		    __builtin_add_overflow(value, (uint64_t)(*digit - '0'), &value))
			return false;
	}
	return !negative || value <= (uint64_t)INT64_MAX + 1;
}

static bool check_number(struct checker *checker)
{
	bool negative = take(checker, '-'), integer = true;
	const unsigned char *digits = checker->at, *digits_end;

	if (!take(checker, '0') && !take_digits(checker))
		return false;
	digits_end = checker->at;
	if (take(checker, '.')) {
		integer = false;
		if (!take_digits(checker))
			return false;
	}
	if (take(checker, 'e') || take(checker, 'E')) {
		integer = false;
		if (!take(checker, '+'))
			take(checker, '-');
		if (!take_digits(checker))
			return false;
	}
	value_done(checker);
	return !integer || integer_fits(digits, digits_end, negative);
}

static int hex_digit(unsigned char byte)
{
	if (byte >= '0' && byte <= '9')
		return byte - '0';
	byte |= 0x20;
	return byte >= 'a' && byte <= 'f' ? byte - 'a' + 10 : -1;
}

static int take_hex4(struct checker *checker)
{
	int code = 0;

	for (int i = 0; i < 4; i++) {
		int digit = hex_digit(peek(checker));

		if (digit < 0)
			return -1;
		code = code << 4 | digit;
		checker->at++;
	}
	return code;
}

/*
 * What follows a backslash. \u0000 is refused, as by sd-json: in C it would cut the string short.
 * A surrogate is valid as the first or second of a pair only.
 */
static bool check_escape(struct checker *checker)
{
	unsigned char byte = peek(checker);
	int code;

	if (byte == 0)
		return false;
	checker->at++;
	if (byte != 'u')
		return strchr("\"\\/bfnrt", byte);
	code = take_hex4(checker);
	if (code <= 0 || (code >= 0xdc00 && code <= 0xdfff))
		return false;
	if (code < 0xd800 || code > 0xdfff)
		return true;
	if (!take(checker, '\\') || !take(checker, 'u'))
		return false;
	code = take_hex4(checker);
	return code >= 0xdc00 && code <= 0xdfff;
}

static bool check_string(struct checker *checker)
{
	checker->at++;
	for (;;) {
		unsigned char byte = peek(checker);
		size_t length = 1;

		if (byte < 0x20)
			return false;
		if (byte >= 0x80)
			length = utf8_sequence(checker->at, (size_t)(checker->end - checker->at));
		if (length == 0)
			return false;
		checker->at += length;
		if (byte == '"')
			return true;
		if (byte == '\\' && !check_escape(checker))
			return false;
	}
}

static bool check_literal(struct checker *checker, const char *literal)
{
	for (; *literal; literal++) {
		if (!take(checker, (unsigned char)*literal))
			return false;
	}
	value_done(checker);
	return true;
}

static bool check_value(struct checker *checker)
{
	unsigned char byte = peek(checker);

	switch (byte) {
	case '{':
	case '[':
		checker->at++;
		return push(checker, byte == '{');
	case '"':
		value_done(checker);
		return check_string(checker);
	case 't':
		return check_literal(checker, "true");
	case 'f':
		return check_literal(checker, "false");
	case 'n':
		return check_literal(checker, "null");
	default:
		return check_number(checker);
	}
}

static bool check_key(struct checker *checker)
{
	checker->members++;
	checker->expect = COLON;
	return peek(checker) == '"' && check_string(checker);
}

static bool check_colon(struct checker *checker)
{
	checker->expect = VALUE;
	return take(checker, ':');
}

static bool check_comma_or_end(struct checker *checker)
{
	if (!take(checker, ','))
		return pop(checker, peek(checker));
	checker->expect = in_object(checker) ? KEY : VALUE;
	return true;
}

static bool check_value_or_end(struct checker *checker)
{
	return peek(checker) == ']' ? pop(checker, ']') : check_value(checker);
}

static bool check_key_or_end(struct checker *checker)
{
	return peek(checker) == '}' ? pop(checker, '}') : check_key(checker);
}

static void skip_space(struct checker *checker)
{
	while (peek(checker) == ' ' || peek(checker) == '\t' || peek(checker) == '\n' ||
	       peek(checker) == '\r')
		checker->at++;
}

/* One pass without recursion. *ret_members: how many members all its objects have together. */
static int check(const char *text, size_t length, unsigned int max_depth, size_t *ret_members)
{
	static bool (*const checks[])(struct checker *) = {
		[VALUE] = check_value, [VALUE_OR_END] = check_value_or_end,
		[KEY] = check_key,     [KEY_OR_END] = check_key_or_end,
		[COLON] = check_colon, [COMMA_OR_END] = check_comma_or_end,
	};
	struct checker checker = {
		.at = (const unsigned char *)text,
		.end = (const unsigned char *)text + length,
		.expect = VALUE,
		.max_depth = max_depth < NESTING_MAX ? max_depth : NESTING_MAX,
	};

	skip_space(&checker);
	if (peek(&checker) != '{')
		return -EBADMSG;
	while (checker.expect != NOTHING) {
		if (!checks[checker.expect](&checker))
			return -EBADMSG;
		skip_space(&checker);
	}
	if (checker.at != checker.end)
		return -EBADMSG;
	*ret_members = checker.members;
	return 0;
}

int message_check(const char *text, size_t length, unsigned int max_depth)
{
	size_t members;

	return check(text, length, max_depth, &members);
}

/* --- the tree ---------------------------------------------------------------------------------- */

static void tokener_freep(struct json_tokener **tokener)
{
	if (*tokener)
		json_tokener_free(*tokener);
}

static int count_member(struct json_object *value, int flags, struct json_object *parent,
			const char *key, size_t *index, void *userdata)
{
	size_t *members = userdata;

	(void)value;
	(void)parent;
	(void)index;
	if (key && !(flags & JSON_C_VISIT_SECOND))
		(*members)++;
	return JSON_C_VISIT_RETURN_CONTINUE;
}

/*
 * json-c keeps the last of two members with one name, so a duplicate is a member that the text
 * has and the tree has not: found in linear time, and however its name is escaped.
 */
int message_parse(const char *text, size_t length, unsigned int max_depth,
		  struct json_object **ret_object)
{
	struct json_tokener *tokener CLEANUP(tokener_freep) = NULL;
	struct json_object *object _cleanup_json_object_ = NULL;
	size_t members, kept = 0;
	int r;

	if (length > INT_MAX)
		return -EBADMSG;
	r = check(text, length, max_depth, &members);
	if (r < 0)
		return r;
	/* json-c counts a scalar inside as one more level. */
	tokener = json_tokener_new_ex((max_depth < NESTING_MAX ? (int)max_depth : NESTING_MAX) + 1);
	if (!tokener)
		return -ENOMEM;
	object = json_tokener_parse_ex(tokener, text, (int)length);
	if (!object) /* the text was checked: only memory is left */
		return -ENOMEM;
	r = json_c_visit(object, 0, count_member, &kept);
	if (r < 0)
		return -ENOMEM;
	if (kept != members)
		return -EBADMSG;
	*ret_object = TAKE_PTR(object);
	return 0;
}
