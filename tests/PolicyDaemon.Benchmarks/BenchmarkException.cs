namespace PolicyDaemon.Benchmarks;

/// <summary>Something that is needed for measuring is not there or does not work; the message says what to do.</summary>
public sealed class BenchmarkException : Exception
{
    public BenchmarkException()
    {
    }

    public BenchmarkException(string message)
        : base(message)
    {
    }

    public BenchmarkException(string message, Exception inner)
        : base(message, inner)
    {
    }
}
