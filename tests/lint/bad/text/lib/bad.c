/* é */
int x; 
int y;
														
