/* No test at all. */
int main(void)
{
	return 0;
}
