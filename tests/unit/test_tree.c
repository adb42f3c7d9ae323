/* The Merkle tree of a seal, against a slow and obvious one written from the definition in tree.h. */
#include "unit.h"

#include <inttypes.h>
#include <string.h>

#include "base/tree.h"

#define LEAVES 300u

struct reference {
	struct hasher *hasher;
	uint8_t leaves[LEAVES][HASH_BYTES];
};

static void print_hex(const uint8_t *bytes, char *out)
{
	for (size_t i = 0; i < HASH_BYTES; i++)
		snprintf(out + 2 * i, 3, "%02x", bytes[i]);
}

/* The definition, word for word, of the leaves from..from + n. */
static void slow_root(const struct reference *reference, size_t from, size_t n,
		      uint8_t out[HASH_BYTES])
{
	uint8_t left[HASH_BYTES], right[HASH_BYTES];
	char left_hex[2 * HASH_BYTES + 1], right_hex[2 * HASH_BYTES + 1], text[256];
	size_t part = 1;

	if (n == 0) {
		assert_true(hasher_sum(reference->hasher, "", 0, out));
		return;
	}
	if (n == 1) {
		memcpy(out, reference->leaves[from], HASH_BYTES);
		return;
	}
	while (2 * part < n)
		part *= 2;
	slow_root(reference, from, part, left);
	slow_root(reference, from + part, n - part, right);
	print_hex(left, left_hex);
	print_hex(right, right_hex);
	const int len = snprintf(text, sizeof(text), "node %s %s\n", left_hex, right_hex);
	assert_true(hasher_sum(reference->hasher, text, (size_t)len, out));
}

static int set_up(void **state)
{
	struct reference *reference = calloc(1, sizeof(*reference));

	assert_non_null(reference);
	reference->hasher = hasher_new();
	assert_non_null(reference->hasher);
	for (size_t i = 0; i < LEAVES; i++)
		assert_true(hasher_sum(reference->hasher, &i, sizeof(i), reference->leaves[i]));
	*state = reference;
	return 0;
}

static int tear_down(void **state)
{
	struct reference *reference = *state;

	hasher_free(&reference->hasher);
	free(reference);
	return 0;
}

static struct tree *must_grow(const struct reference *reference, size_t n)
{
	struct tree *tree = tree_new();

	assert_non_null(tree);
	for (size_t i = 0; i < n; i++)
		assert_true(tree_add(tree, reference->leaves[i]));
	assert_int_equal(tree_leaves(tree), n);
	return tree;
}

static void a_root_is_that_of_the_definition(void **state)
{
	const struct reference *reference = *state;
	uint8_t expected[HASH_BYTES], root[HASH_BYTES];

	for (size_t n = 0; n <= LEAVES; n++) {
		struct tree *tree = must_grow(reference, n);

		slow_root(reference, 0, n, expected);
		for (int i = 0; i < 2; i++) { /* the second time from what was kept */
			assert_true(tree_root(tree, root));
			assert_memory_equal(root, expected, sizeof(root));
		}
		tree_free(&tree);
	}
}

static void a_root_is_right_again_behind_every_leaf_that_comes(void **state)
{
	const struct reference *reference = *state;
	uint8_t expected[HASH_BYTES], root[HASH_BYTES];
	struct tree *tree = must_grow(reference, 0);

	for (int life = 0; life < 2; life++) {
		for (size_t n = 0; n <= LEAVES; n++) {
			assert_true(tree_root(tree, root));
			slow_root(reference, 0, n, expected);
			assert_memory_equal(root, expected, sizeof(root));
			if (n < LEAVES)
				assert_true(tree_add(tree, reference->leaves[n]));
		}
		tree_clear(tree);
		assert_int_equal(tree_leaves(tree), 0);
	}
	tree_free(&tree);
}

static void every_path_of_every_tree_climbs_to_its_root(void **state)
{
	const struct reference *reference = *state;
	struct tree_step steps[TREE_STEPS_MAX];
	uint8_t root[HASH_BYTES], reached[HASH_BYTES];
	size_t n_steps = 0;

	for (size_t n = 1; n <= LEAVES; n++) {
		struct tree *tree = must_grow(reference, n);

		assert_true(tree_root(tree, root));
		for (size_t i = 0; i < n; i++) {
			assert_true(tree_path(tree, i, steps, &n_steps));
			assert_true(n_steps <= 9); /* 2^9 > 300 */
			assert_true(tree_climb(reference->hasher, reference->leaves[i], steps,
					       n_steps, reached));
			assert_memory_equal(reached, root, sizeof(root));
			assert_true(tree_sides_fit(steps, n_steps, n));
		}
		tree_free(&tree);
	}
}

static void a_path_is_there_before_the_root_was_asked_for(void **state)
{
	const struct reference *reference = *state;
	struct tree_step steps[TREE_STEPS_MAX];
	uint8_t root[HASH_BYTES], reached[HASH_BYTES];
	struct tree *tree = must_grow(reference, 77);
	size_t n_steps = 0;

	assert_true(tree_path(tree, 76, steps, &n_steps));
	assert_int_equal(n_steps, 3); /* 77 = 64 + 8 + 4 + 1 */
	assert_true(tree_climb(reference->hasher, reference->leaves[76], steps, n_steps, reached));
	slow_root(reference, 0, 77, root);
	assert_memory_equal(reached, root, sizeof(root));
	tree_free(&tree);
}

static void must_miss(const struct reference *reference, size_t leaf, const struct tree_step *steps,
		      size_t n_steps, const uint8_t root[HASH_BYTES])
{
	uint8_t reached[HASH_BYTES];

	assert_true(tree_climb(reference->hasher, reference->leaves[leaf], steps, n_steps, reached));
	assert_memory_not_equal(reached, root, HASH_BYTES);
}

static void a_path_that_was_changed_does_not_climb_to_the_root(void **state)
{
	const struct reference *reference = *state;
	static const size_t sizes[] = { 2, 3, 7, 8, 9, 64, 65, 255, 300 };
	struct tree_step steps[TREE_STEPS_MAX];
	uint8_t root[HASH_BYTES];
	size_t n_steps = 0, changes = 0;

	for (size_t t = 0; t < sizeof(sizes) / sizeof(sizes[0]); t++) {
		struct tree *tree = must_grow(reference, sizes[t]);

		assert_true(tree_root(tree, root));
		for (size_t i = 0; i < sizes[t]; i++) {
			assert_true(tree_path(tree, i, steps, &n_steps));
			must_miss(reference, (i + 1) % sizes[t], steps, n_steps, root);
			must_miss(reference, i, steps, n_steps - 1, root);
			for (size_t k = 0; k < n_steps; k++, changes++) {
				steps[k].hash[changes % HASH_BYTES] ^= 1;
				must_miss(reference, i, steps, n_steps, root);
				steps[k].hash[changes % HASH_BYTES] ^= 1;
				steps[k].left = !steps[k].left;
				must_miss(reference, i, steps, n_steps, root);
				steps[k].left = !steps[k].left;
			}
		}
		tree_free(&tree);
	}
	assert_true(changes > 3000);
}

/* The sides of leaf `index` of n, from the definition: from the root down, then turned round. */
static size_t slow_sides(size_t index, size_t n, struct tree_step steps[TREE_STEPS_MAX])
{
	size_t part = 1, below = 0;

	if (n == 1)
		return 0;
	while (2 * part < n)
		part *= 2;
	const bool is_right = index >= part;
	below = is_right ? slow_sides(index - part, n - part, steps) : slow_sides(index, part, steps);
	steps[below].left = is_right;
	return below + 1;
}

/* Sides as a number: a one, and a bit for each, the leaf's lowest. */
static size_t code_of(const struct tree_step *steps, size_t n_steps)
{
	size_t code = (size_t)1 << n_steps;

	for (size_t i = 0; i < n_steps; i++)
		code |= (size_t)steps[i].left << i;
	return code;
}

/* Every sequence of up to ten sides, for every number of leaves: fits exactly when a leaf has it. */
static void sides_fit_exactly_when_they_are_those_of_a_leaf(void **state)
{
	struct tree_step steps[TREE_STEPS_MAX];

	(void)state;
	memset(steps, 0, sizeof(steps));
	for (size_t n = 0; n <= LEAVES; n++) {
		bool is_a_leafs[1 << 11] = { false };
		size_t fit = 0;

		for (size_t i = 0; i < n; i++)
			is_a_leafs[code_of(steps, slow_sides(i, n, steps))] = true;
		for (size_t n_steps = 0; n_steps <= 10; n_steps++)
			for (size_t bits = 0; bits < (size_t)1 << n_steps; bits++) {
				for (size_t i = 0; i < n_steps; i++)
					steps[i].left = bits >> i & 1;
				const bool fits = tree_sides_fit(steps, n_steps, n);
				assert_int_equal(fits, is_a_leafs[code_of(steps, n_steps)]);
				fit += fits;
			}
		assert_int_equal(fit, n); /* no two leaves have the same */
	}
}

static void sides_of_trees_beyond_any_memory_are_judged_too(void **state)
{
	struct tree_step steps[TREE_STEPS_MAX + 1];

	(void)state;
	memset(steps, 0, sizeof(steps));
	assert_true(tree_sides_fit(steps, 40, UINT64_C(1) << 40));
	assert_false(tree_sides_fit(steps, 39, UINT64_C(1) << 40));
	assert_false(tree_sides_fit(steps, 40, (UINT64_C(1) << 40) + 1));
	assert_true(tree_sides_fit(steps, 41, (UINT64_C(1) << 40) + 1));
	assert_false(tree_sides_fit(steps, 40, UINT64_MAX));
	steps[0].left = true; /* the last of 2^63 + 1, alone on the right */
	assert_true(tree_sides_fit(steps, 1, (UINT64_C(1) << 63) + 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_root_is_that_of_the_definition),
		cmocka_unit_test(a_root_is_right_again_behind_every_leaf_that_comes),
		cmocka_unit_test(every_path_of_every_tree_climbs_to_its_root),
		cmocka_unit_test(a_path_is_there_before_the_root_was_asked_for),
		cmocka_unit_test(a_path_that_was_changed_does_not_climb_to_the_root),
		cmocka_unit_test(sides_fit_exactly_when_they_are_those_of_a_leaf),
		cmocka_unit_test(sides_of_trees_beyond_any_memory_are_judged_too),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
