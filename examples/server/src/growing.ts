// An array of numbers whose length comes out in the end: a plain one takes twice the memory, and is copied when it is done.

type Numbers = Float32Array | Int32Array;

export class Growing<A extends Numbers> {
  private values: A;
  private length = 0;

  constructor(private readonly type: new (length: number) => A) {
    this.values = new type(1024);
  }

  add(value: number): void {
    if (this.length === this.values.length) {
      const larger = new this.type(2 * this.length);
      larger.set(this.values);
      this.values = larger;
    }
    this.values[this.length++] = value;
  }

  get array(): A {
    return this.values.subarray(0, this.length) as A;
  }
}
