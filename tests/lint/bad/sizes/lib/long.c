/* Too long a function, in too long a file. */
int big(void)
{
	x();
	x();
	x();
	x();
	x();
	x();
	x();
	x();
	x();
	x();
	x();
	x();
	x();
	x();
	x();
	x();
	x();
	x();
	x();
	x();
	x();
	x();
	x();
	x();
	x();
	x();
	x();
	x();
	x();
	x();
	x();
	x();
	x();
	x();
	x();
	x();
	x();
	x();
	x();
	x();
	x();
	x();
	x();
	x();
	x();
	x();
	x();
	x();
	x();
	x();
	x();
	x();
	x();
	x();
	x();
	x();
	x();
	x();
	x();
	x();
	x();
	x();
	x();
	x();
	x();
	x();
	x();
	x();
	x();
	x();
	x();
}
int just(void)
{
	x();
	x();
	x();
	x();
	x();
	x();
	x();
	x();
	x();
	x();
	x();
	x();
	x();
	x();
	x();
	x();
	x();
	x();
	x();
	x();
	x();
	x();
	x();
	x();
	x();
	x();
	x();
	x();
	x();
	x();
	x();
	x();
	x();
	x();
	x();
	x();
	x();
	x();
	x();
	x();
	x();
	x();
	x();
	x();
	x();
	x();
	x();
	x();
	x();
	x();
	x();
	x();
	x();
	x();
	x();
	x();
	x();
	x();
	x();
	x();
	x();
	x();
	x();
	x();
	x();
	x();
	x();
	x();
	x();
	x();
}







































































































































































































































































































































































































































































