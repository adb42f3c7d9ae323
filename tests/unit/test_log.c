/* Log lines: their form, their bounds, and that no value can forge or break one. */
#include "unit.h"

#include "base/log.h"

#include <string.h>
#include <unistd.h>

#define CAPTURE_BYTES 8192

/* stderr goes to a temporary file between begin and end. */
struct capture {
	FILE *file;
	int saved;
};

static void capture_begin(struct capture *capture)
{
	fflush(stderr);
	capture->file = tmpfile();
	assert_non_null(capture->file);
	capture->saved = dup(STDERR_FILENO);
	assert_true(capture->saved >= 0);
	assert_true(dup2(fileno(capture->file), STDERR_FILENO) >= 0);
}

static void capture_end(struct capture *capture, char out[CAPTURE_BYTES])
{
	fflush(stderr);
	assert_true(dup2(capture->saved, STDERR_FILENO) >= 0);
	close(capture->saved);
	rewind(capture->file);
	out[fread(out, 1, CAPTURE_BYTES - 1, capture->file)] = '\0';
	fclose(capture->file);
}

static void a_line_has_a_time_a_level_an_event_and_the_keys(void **state)
{
	struct log *log = log_new("ttgd", LOG_TO_STDERR, LOG_LEVEL_INFO);
	struct capture capture;
	char text[CAPTURE_BYTES];
	int fields[7];

	(void)state;
	capture_begin(&capture);
	log_write(log, LOG_LEVEL_WARN, "publish_refused", "agency=%s code=%d", "police", 103);
	capture_end(&capture, text);
	assert_int_equal(sscanf(text, "%4d-%2d-%2dT%2d:%2d:%2d.%3dZ", &fields[0], &fields[1],
	                        &fields[2], &fields[3], &fields[4], &fields[5], &fields[6]),
	                 7);
	assert_string_equal(text + 24,
	                    " level=warn event=publish_refused agency=police code=103\n");
	log_free(&log);
	assert_null(log);
}

static void journald_gets_the_priority_in_front_and_no_time(void **state)
{
	struct log *log = log_new("ttgd", LOG_TO_JOURNALD, LOG_LEVEL_DEBUG);
	struct capture capture;
	char text[CAPTURE_BYTES];

	(void)state;
	capture_begin(&capture);
	log_write(log, LOG_LEVEL_ERROR, "sync_failed", "segment=%d", 4);
	log_write(log, LOG_LEVEL_DEBUG, "tick", "n=%d", 1);
	capture_end(&capture, text);
	assert_string_equal(text, "<3>program=ttgd level=error event=sync_failed segment=4\n"
	                          "<7>program=ttgd level=debug event=tick n=1\n");
	log_free(&log);
}

static void lines_above_the_level_are_left_out_and_the_level_can_change(void **state)
{
	struct log *log = log_new("ttgd", LOG_TO_JOURNALD, LOG_LEVEL_WARN);
	struct capture capture;
	char text[CAPTURE_BYTES];

	(void)state;
	capture_begin(&capture);
	log_write(log, LOG_LEVEL_INFO, "quiet", "n=%d", 1);
	log_set_level(log, LOG_LEVEL_INFO);
	log_write(log, LOG_LEVEL_INFO, "loud", "n=%d", 2);
	log_write(NULL, LOG_LEVEL_ERROR, "silent", "n=%d", 3);
	log_set_level(NULL, LOG_LEVEL_INFO);
	capture_end(&capture, text);
	assert_string_equal(text, "<6>program=ttgd level=info event=loud n=2\n");
	log_free(&log);
}

static void control_characters_cannot_forge_a_second_line(void **state)
{
	struct log *log = log_new("ttgd", LOG_TO_JOURNALD, LOG_LEVEL_INFO);
	struct capture capture;
	char text[CAPTURE_BYTES];

	(void)state;
	capture_begin(&capture);
	log_write(log, LOG_LEVEL_INFO, "told", "name=%s", "a\nb\x1b[1m\xc2\x9b\x7f");
	capture_end(&capture, text);
	assert_string_equal(text, "<6>program=ttgd level=info event=told name=a?b?[1m???\n");
	log_free(&log);
}

static void long_values_are_cut_and_the_next_key_still_comes(void **state)
{
	struct log *log = log_new("ttgd", LOG_TO_JOURNALD, LOG_LEVEL_INFO);
	struct capture capture;
	char text[CAPTURE_BYTES];
	char value[700];

	(void)state;
	memset(value, 'v', sizeof(value) - 1);
	value[sizeof(value) - 1] = '\0';
	capture_begin(&capture);
	log_write(log, LOG_LEVEL_INFO, "told", "long=%s after=%d", value, 7);
	capture_end(&capture, text);
	assert_non_null(strstr(text, "v~ after=7\n"));
	assert_true(strlen(text) < 600);

	capture_begin(&capture);
	log_write(log, LOG_LEVEL_INFO, "told", "long=\"%s x\" after=%d", value, 7);
	capture_end(&capture, text);
	assert_non_null(strstr(text, "v~\" after=7\n"));
	log_free(&log);
}

static void no_line_is_longer_than_its_bound(void **state)
{
	struct log *log = log_new("ttgd", LOG_TO_STDERR, LOG_LEVEL_INFO);
	struct capture capture;
	char text[CAPTURE_BYTES];
	char value[401];

	(void)state;
	memset(value, 'w', sizeof(value) - 1);
	value[sizeof(value) - 1] = '\0';
	for (int width = 0; width < 400; width += 7) {
		capture_begin(&capture);
		log_write(log, LOG_LEVEL_INFO, "told", "a=%s b=%s c=\"%.*s\" d=%s", value, value,
		          width, value, value);
		capture_end(&capture, text);
		assert_true(strlen(text) <= 1023);
		assert_int_equal(text[strlen(text) - 1], '\n');
		assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
	}
	log_free(&log);
}

static void level_names_are_read_and_others_refused(void **state)
{
	enum log_level level = LOG_LEVEL_NOTICE;

	(void)state;
	assert_true(log_level_parse("error", &level));
	assert_int_equal(level, LOG_LEVEL_ERROR);
	assert_true(log_level_parse("debug", &level));
	assert_int_equal(level, LOG_LEVEL_DEBUG);
	assert_false(log_level_parse("Debug", &level));
	assert_false(log_level_parse("", &level));
	assert_false(log_level_parse(NULL, &level));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_has_a_time_a_level_an_event_and_the_keys),
		cmocka_unit_test(journald_gets_the_priority_in_front_and_no_time),
		cmocka_unit_test(lines_above_the_level_are_left_out_and_the_level_can_change),
		cmocka_unit_test(control_characters_cannot_forge_a_second_line),
		cmocka_unit_test(long_values_are_cut_and_the_next_key_still_comes),
		cmocka_unit_test(no_line_is_longer_than_its_bound),
		cmocka_unit_test(level_names_are_read_and_others_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
