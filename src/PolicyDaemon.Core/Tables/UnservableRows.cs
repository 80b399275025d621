namespace PolicyDaemon.Core.Tables;

/// <summary>What becomes of a row whose pins are in another digest than Postfix compares (<c>import --unservable</c>).</summary>
public enum UnservableRows
{
    /// <summary>A problem, and with it nothing is imported.</summary>
    Refuse,

    /// <summary>An observed entry: not enforced while its pins are in another digest.</summary>
    Observe,

    /// <summary>A row like any other: the caller carries its pins over to the digest that Postfix compares, or decides what becomes of it.</summary>
    Keep,
}
