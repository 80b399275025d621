namespace PolicyDaemon.EndToEnd.Lab;

/// <summary>Kinds of certificate keys mail servers use.</summary>
public enum KeyKind
{
    Ecdsa,
    Rsa,
}
