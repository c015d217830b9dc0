/// The version of this program, which its outputs name.
public enum Version {
    public static let text = "IceShelfPINN 1.0"
}
