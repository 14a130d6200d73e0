// Methods that Node's Buffer has but its type package does not declare: the encoding-specific halves of toString and write.
declare global {
  interface Buffer {
    hexSlice(start?: number, end?: number): string;
    latin1Slice(start?: number, end?: number): string;
    latin1Write(text: string, offset?: number, length?: number): number;
  }
}

export {};
