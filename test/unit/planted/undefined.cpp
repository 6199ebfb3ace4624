// Overflows an integer, which UndefinedBehaviorSanitizer must report.
int main(int count, char **) {
    volatile int most = 2147483647;
    return most + count > 0;
}
