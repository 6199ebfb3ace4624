// Reads a byte behind an allocation, which AddressSanitizer must report.
int main(int count, char **) {
    char *bytes = new char[4]();
    volatile int behind = 3 + count;
    int result = bytes[behind];
    delete[] bytes;
    return result;
}
